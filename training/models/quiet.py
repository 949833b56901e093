"""Keep the libraries quiet: labelmix tells its own progress."""

import logging
import warnings


def quiet_libraries() -> None:
    """Silence progress bars and notices; in every process, before a model is loaded."""
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*")
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it tells of every attempt
