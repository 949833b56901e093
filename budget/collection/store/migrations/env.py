"""What Alembic runs for every upgrade: on the connection, and in the transaction, of its caller."""

from alembic import context

from budget.collection.store.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
