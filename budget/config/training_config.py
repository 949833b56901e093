"""The part of a configuration that says how labels become a model that answers."""

from typing import Any

from budget.config.sections import (
    GenerationSection,
    MethodsSection,
    ModelSection,
    ProbeSection,
    PromptSection,
    QloraSection,
    TargetsSection,
    UncertaintySection,
)
from budget.config.toml import Section


class TrainingConfig(Section):
    """Which model is trained, by which methods, towards what."""

    model: ModelSection = ModelSection()
    methods: MethodsSection = MethodsSection()
    probe: ProbeSection = ProbeSection()
    qlora: QloraSection = QloraSection()
    targets: TargetsSection = TargetsSection()
    uncertainty: UncertaintySection = UncertaintySection()
    prompt: PromptSection = PromptSection()
    generation: GenerationSection = GenerationSection()

    def method_settings(self, method: str) -> dict[str, Any]:
        """Settings that enter a trial's key."""
        if method == "probe":
            return self.probe.model_dump()
        if method in ("zero_shot", "in_context"):
            return {"normalisation": self.prompt.normalisation}
        settings = self.qlora.settings() if method == "qlora" else {}
        if method == "qlora" and not self.reasons(method) and self.prompt.normalisation != "sum":
            settings["normalisation"] = self.prompt.normalisation
        return {**settings, **self.generation.model_dump()} if self.reasons(method) else settings

    def reasons(self, method: str) -> bool:
        """Whether a method writes out its reasoning before it answers."""
        tuned = method == "qlora" and self.qlora.objective == "reasoning"
        return tuned or method == "chain_of_thought"

    def prompt_version(self, method: str) -> str:
        """The prompt that a method uses."""
        return self.prompt.reasoning if self.reasons(method) else self.prompt.choices

    def target_settings(self) -> dict[str, Any]:
        """What enters a trial's key beside the kind of targets."""
        return self.uncertainty.model_dump() if self.targets.kind == "uncertainty" else {}
