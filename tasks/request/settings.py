"""The settings of a pair: a frozen, validated model. Everything here decides the picture and is part of its key."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.nst.layers import DEFAULT, LAYERS, NETWORKS, Network, NetworkName
from stylebatch.tasks.pictures.formats import FormatName
from stylebatch.tasks.request.presets import PresetName, with_preset
from stylebatch.tasks.storage.places import is_url, refuse_secrets, to_place, without_secrets

# What ``init`` can be other than a picture.
STARTS = ("content", "noise", "painted")
FormName = Literal["balanced", "classic"]  # of the objective; `tasks.nst.forms` has them
# The weights of content and style unless they are given. Classic ones are Gatys' own, 1 : 1000 before the style's 1/C².
WEIGHTS: Mapping[FormName, tuple[float, float]] = {"balanced": (1.0, 1.0), "classic": (0.01, 10.0)}
# Context of a validation without the rest of the row: which network there will be is left open.
WITHOUT_ROW = {"without_row": True}


def _network(data: Mapping[str, Any]) -> Network:
    """The network among the settings that are validated already, or the default."""
    return NETWORKS[data.get("network", DEFAULT)]


def _content_layers(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the content loss looks by default."""
    network = _network(data)
    return network.content_layers if data.get("objective") == "classic" else network.structure_layers


def _parse_layers(value: Any, info: ValidationInfo) -> Any:
    """``"relu1_1, relu2_1:0.5"`` or a list of names, as people write them in a cell, to a name-to-weight mapping."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list):
        named = {}
        for part in value:
            name, _, weight = str(part).partition(":")
            if name.strip() in named:
                raise ValueError(f"layer {name.strip()!r} is named twice")
            named[name.strip()] = weight or 1.0
        value = named
    if isinstance(value, Mapping):
        network = info.data.get("network")
        layers = NETWORKS[network].layers if network and not info.context else LAYERS
        for name in value:
            if name not in layers:
                among = f" in {network}" if name in LAYERS else ""
                raise ValueError(f"there is no layer {name!r}{among}{nearest(str(name), layers)}")
    return value


Layers = Annotated[
    dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]],
    BeforeValidator(_parse_layers),
    Field(min_length=1),
]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Settings(BaseModel):
    """How a pair is stylized. `request.settings_table` writes the table of docs/settings.md from the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: PresetName = Field(
        "none",
        exclude=True,
        description="settings of a published method, for those that are not given: `gatys2016`, `gatys2017-highres` "
        "or `johnson2016`",
    )
    engine: Literal["optimize", "feedforward", "auto"] = Field(
        "optimize",
        description="`optimize` each picture; `feedforward`: one pass through a network that paints in any style; "
        "`auto`: what `effort` asks for ([One pass](one-pass.md))",
    )
    effort: Literal["draft", "good", "best"] = Field(
        "good",
        exclude=True,
        description="of `auto`: `draft` paints in one pass, `best` optimizes each picture; `good` tunes a network to a "
        "style where it has so many pictures that this is quicker than to optimize them",
    )
    model: str = Field(
        "none",
        min_length=1,
        description="the network that paints: `none` is the one that comes along, for any style, or the path of a file "
        "that `stylebatch train` has written",
    )
    strength: float = Field(
        1.0,
        ge=0,
        le=1,
        description="of the network that paints: how far it goes from the photograph, 0, to the style, 1",
    )
    refine: int = Field(
        0,
        ge=0,
        le=100_000,
        description="of `feedforward`: steps of the optimizer, from the network's picture",
    )
    judge: float = Field(
        1.0,
        ge=0,
        le=1,
        exclude=True,
        description="of `feedforward` without `refine`: the share of the pictures that get losses and figures, which "
        "take longer than the painting; for very many pictures 0.01 tells enough",
    )
    size: Annotated[int, Field(ge=16, le=4096)] | Literal["original"] = Field(
        512,
        description="longer side of the result, in pixels; `original`: exactly the content's own width and height "
        "([Sizes and formats](datasets.md#sizes-and-formats))",
    )
    format: FormatName = Field(
        "png", description="of the files: `png` loses nothing; `jpeg` has about a third of its bytes, `webp` a fifth"
    )
    quality: int = Field(
        90, ge=1, le=100, description="of `jpeg` and `webp`; losses and figures are those of the file as it is then"
    )
    steps: int = Field(150, ge=1, le=100_000, description="steps of the optimizer, one evaluation each")
    tolerance: float = Field(
        0.0, ge=0, lt=1, description="stop early where ten steps lower the loss by less than this share of it; 0: never"
    )
    objective: FormName = Field(
        "balanced",
        description="`balanced`: losses that mean the same for every style; `classic`: those of Gatys et al. 2016, "
        "whose weights are each style's own ([The objective](#the-objective))",
    )
    content_weight: Weight = Field(
        default_factory=lambda data: WEIGHTS[data.get("objective", "balanced")][0],
        description="weight of the content loss: 0.3 is clearly more painting, 3 clearly more photograph; "
        "`classic` has 0.01",
    )
    style_weight: Weight = Field(
        default_factory=lambda data: WEIGHTS[data.get("objective", "balanced")][1],
        description="weight of the style loss; `classic` has 10",
    )
    tv_weight: Weight = Field(0.0, description="weight of the total variation: smooths the result")
    tv_power: int = Field(
        1,
        ge=1,
        le=2,
        description="1: total variation as |∂x|+|∂y|, which keeps edges; 2: squared, which smooths them",
    )
    network: NetworkName = Field(
        DEFAULT,
        description="the encoder: `vgg19`, with the bundled weights, or `vgg19-torchvision`, `vgg16`, `squeezenet`, "
        "`mobilenet`, whose weights are downloaded ([Networks](#networks))",
    )
    weights: str = Field(
        "auto",
        min_length=1,
        description="of the network: `auto`, or the path of a file of your own, `.pth` or `.safetensors`",
    )
    content_layers: Layers = Field(
        default_factory=lambda data: dict.fromkeys(_content_layers(data), 1.0),
        description="layers of the content loss: one, or several with weights, `relu3_1:0.5, relu4_2`; `classic` has "
        "`relu4_2`, and other networks have defaults of their own",
    )
    style_layers: Layers = Field(
        default_factory=lambda data: dict.fromkeys(_network(data).style_layers, 1.0),
        description="layers of the style loss, written in the same way",
    )
    style_scale: float = Field(
        1.0, gt=0, le=8, description="size of the style picture relative to `size`: larger makes larger strokes"
    )
    scales: Annotated[int, Field(ge=1, le=6)] | Literal["auto"] = Field(
        "auto",
        description="resolutions from coarse to fine, each half the next, each of which has twice the steps of the "
        "next and is looked at to the end; `auto`: as many as bring the coarsest to 362 px or less (classic: to "
        "768 px, with the same steps, and each alone)",
    )
    memory_limit: Annotated[float, Field(gt=0, allow_inf_nan=False)] | Literal["auto"] = Field(
        "auto",
        exclude=True,
        description="GB that the process may take: beyond it, the network's first stages are computed twice instead of "
        "being kept, which gives the same picture; `auto`: half of what the device has free",
    )
    init: str = Field(
        "content",
        min_length=1,
        description="what the optimizer starts from: `content`, `painted` (by `model`, in one pass), `noise`, or the "
        "path of a picture",
    )
    seed: int = Field(0, ge=0, lt=2**63, description="seed of the noise")
    optimizer: Literal["lbfgs", "adam"] = Field("lbfgs", description="`lbfgs` or `adam`")
    history: int = Field(50, ge=1, le=1000, description="steps that L-BFGS remembers")
    learning_rate: float = Field(0.01, gt=0, le=10, description="step length of Adam; L-BFGS finds its own")
    preserve_color: Literal["none", "luminance", "match"] = Field(
        "none",
        description="keep the content's colours: `luminance` styles the brightness alone, `match` gives the style "
        "picture the content's colours beforehand",
    )
    pooling: Literal["max", "average"] = Field("max", description="how the network halves: `max` or `average`")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="number format of the network; `auto` takes the faster one of the machine"
    )

    @model_validator(mode="before")
    @classmethod
    def _resolve_preset(cls, values: Any) -> Any:
        """A preset is shorthand: what it stands for is kept and counts for the key, and not its name."""
        return with_preset(values) if isinstance(values, Mapping) else values

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_truth_value(cls, value: Any) -> Any:
        if isinstance(value, bool):  # which would count as 0 or 1
            raise ValueError("should be a number or a text")
        return value

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_secret(cls, value: Any) -> Any:
        if isinstance(value, str):
            refuse_secrets(value)
        return value

    @field_validator("weights", "init", "model")
    @classmethod
    def _is_a_place(cls, value: str) -> str:
        if is_url(value):
            to_place(value)
        return value

    @field_validator("pooling")
    @classmethod
    def _has_pooling(cls, pooling: str, info: ValidationInfo) -> str:
        if pooling == "average" and not _network(info.data).has_pooling:
            raise ValueError(f"{info.data['network']} halves by convolutions and has no pooling; leave it at 'max'")
        return pooling

    def longer_side(self, content: tuple[int, int]) -> int:
        """Pixels of the longer side of what is made of a content of this width and height."""
        return max(content) if self.size == "original" else self.size

    @property
    def optimizer_steps(self) -> int:
        """The most steps that the optimizer takes, whichever the engine."""
        return self.refine if self.engine == "feedforward" else self.steps

    @property
    def starts_from_picture(self) -> bool:
        """Whether ``init`` is the path of a picture."""
        return self.init not in STARTS

    @property
    def paints(self) -> bool:
        """Whether a network paints the picture, or what the optimizer starts from."""
        return self.engine == "feedforward" or (self.engine == "optimize" and self.init == "painted")


def nearest(name: str, names: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the one of ``names`` that is most like ``name``, or nothing."""
    close = difflib.get_close_matches(str(name), list(names), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def problems(error: ValidationError) -> list[tuple[str, str]]:
    """The (setting, what is wrong) pairs of a validation error, in words for people."""
    found, listed = [], error.errors(include_url=False)
    either = {one["loc"][0] for one in listed if one["type"] == "literal_error" and len(one["loc"]) > 1}
    for problem in listed:
        if problem["type"] == "default_factory_not_called":  # what it would have been made of is wrong, and told
            continue
        setting = str(problem["loc"][0]) if problem["loc"] else ""
        message = problem["msg"].removeprefix("Value error, ")
        given = problem["input"]
        if setting in either:  # a number or a word: both halves have a problem, and one of them is what was meant
            if _is_number(given) == (problem["type"] == "literal_error"):
                continue
            message = message.replace("Input should be '", "Input should be a number or '")
        if isinstance(given, str | int | float):
            shown = without_secrets(given) if isinstance(given, str) else given
            message = f"{message}, not {shown!r}"
        found.append((setting, message[0].lower() + message[1:]))
    return found


def _is_number(given: Any) -> bool:
    try:
        float(given)
    except (TypeError, ValueError):
        return False
    return True


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """``["size=256", "steps=100"]``, as `--set` takes them, to a validated mapping.

    Raises:
        BadRequest: an unknown setting, a value that is not allowed, or no ``=``.
    """
    values = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        name = name.strip()
        if not equals:
            raise BadRequest(f"--set {assignment}: write it as name=value, for example --set size=256")
        if name not in Settings.model_fields:
            raise BadRequest(f"there is no setting {name!r}{nearest(name, Settings.model_fields)}")
        values[name] = value.strip()
    check_settings(values, "--set")
    return values


# Settings that win over a manifest's, as a form or a program gives them.
Overrides = Mapping[str, str | int | float]


def texts(overrides: Overrides | None) -> dict[str, str]:
    """Overrides as a manifest's cells write them."""
    return {name: str(value) for name, value in (overrides or {}).items()}


def check_settings(values: Mapping[str, Any], where: str) -> None:
    """Raise `BadRequest`, naming ``where`` and every setting in ``values`` that is unknown or not allowed."""
    unknown = [name for name in values if name not in Settings.model_fields]
    if unknown:
        raise BadRequest(f"{where}: there is no setting {unknown[0]!r}{nearest(unknown[0], Settings.model_fields)}")
    try:
        Settings.model_validate(values, context=None if "network" in values else WITHOUT_ROW)
    except ValidationError as error:
        listed = "; ".join(f"{setting}: {message}" for setting, message in problems(error))
        raise BadRequest(f"{where}: {listed}") from None
