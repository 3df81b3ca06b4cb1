"""The settings: their defaults, what they refuse and in which words, and `--set`."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.nst.layers import NETWORKS, NetworkName
from stylebatch.tasks.request.settings import Settings, check_settings, parse_assignments, problems


def test_the_defaults_are_those_of_the_objective() -> None:
    settings = Settings()
    assert settings.objective == "balanced"
    assert settings.content_weight == settings.style_weight == 1
    assert settings.tv_weight == 0
    assert settings.content_layers == {"relu3_1": 1, "relu4_1": 1}
    assert settings.style_layers == {"relu1_1": 1, "relu2_1": 1, "relu3_1": 1, "relu4_1": 1, "relu5_1": 1}
    assert settings.init == "content"
    assert settings.style_scale == 1
    assert settings.optimizer == "lbfgs"
    assert (settings.network, settings.weights) == ("vgg19", "auto")
    assert settings.precision == "auto"


def test_the_classic_objective_has_defaults_of_its_own() -> None:
    settings = Settings(objective="classic")
    assert (settings.content_weight, settings.style_weight) == (0.01, 10)
    assert settings.content_layers == {"relu4_2": 1}
    assert settings.style_layers == Settings().style_layers
    assert Settings(objective="classic", content_weight=1).content_weight == 1
    assert parse_assignments(["objective=classic"]) == {"objective": "classic"}
    with pytest.raises(BadRequest, match="objective: input should be 'balanced' or 'classic'"):
        parse_assignments(["objective=modern"])


@pytest.mark.parametrize(
    ("written", "parsed"),
    [
        ("relu4_2", {"relu4_2": 1.0}),
        ("relu3_1:0.5, relu4_2", {"relu3_1": 0.5, "relu4_2": 1.0}),
        (" relu3_1 : 2 ,relu4_2:0,", {"relu3_1": 2.0, "relu4_2": 0.0}),
        (["relu3_1:0.5", "relu4_2"], {"relu3_1": 0.5, "relu4_2": 1.0}),
        ({"relu3_1": "0.5", "relu4_2": 1}, {"relu3_1": 0.5, "relu4_2": 1.0}),
    ],
)
def test_layers_can_be_written_in_several_ways(written: Any, parsed: dict[str, float]) -> None:
    assert Settings.model_validate({"content_layers": written}).content_layers == parsed
    assert Settings.model_validate({"style_layers": written}).style_layers == parsed


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("relu4_22", "there is no layer 'relu4_22'; did you mean 'relu4_2'?"),
        ("conv", "there is no layer 'conv'"),
        ("relu4_2, relu4_2:0.5", "'relu4_2' is named twice"),
        ("relu4_2:-1", "greater than or equal to 0"),
        ("relu4_2:nan", "finite"),
        ("relu4_2:inf", "finite"),
        ("relu4_2:heavy", "valid number"),
        ("", "at least 1"),
        (" , ", "at least 1"),
        ({}, "at least 1"),
        (5, "valid dictionary"),
    ],
)
def test_wrong_layers_are_refused(written: Any, says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"style_layers": written})
    ((setting, message),) = problems(caught.value)
    assert setting == "style_layers"
    assert says in message


@pytest.mark.parametrize("name", get_args(NetworkName))
def test_layers_are_the_networks_unless_they_are_given(name: NetworkName) -> None:
    settings, network = Settings(network=name), NETWORKS[name]
    assert settings.content_layers == dict.fromkeys(network.structure_layers, 1)
    assert Settings(network=name, objective="classic").content_layers == dict.fromkeys(network.content_layers, 1)
    assert settings.style_layers == dict.fromkeys(network.style_layers, 1)
    deepest = network.layers[-1]
    given = Settings.model_validate({"network": name, "style_layers": f"{deepest}:2"})
    assert given.style_layers == {deepest: 2}
    assert given.content_layers == settings.content_layers
    assert Settings.model_validate_json(given.model_dump_json()) == given


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"network": "vgg16", "style_layers": "relu3_4"}, "style_layers: there is no layer 'relu3_4' in vgg16; did"),
        ({"network": "squeezenet", "content_layers": "fire22"}, "content_layers: there is no layer 'fire22'; did you"),
        ({"network": "mobilenet", "preset": "gatys2016", "pooling": "max"}, "there is no layer 'relu4_2' in mobilenet"),
        ({"network": "mobilenet", "pooling": "average"}, "pooling: mobilenet halves by convolutions"),
        ({"content_layers": "fire"}, "content_layers: there is no layer 'fire'; did you mean 'fire"),
    ],
    ids=str,
)
def test_what_the_network_has_not_is_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(BadRequest) as caught:
        check_settings(values, "here")
    assert says in str(caught.value)


def test_without_the_row_any_networks_layer_is_taken() -> None:
    """The row may name the network, which `--set` and `defaults` alone do not know."""
    check_settings({"content_layers": "fire2", "style_layers": "block3, relu1_1"}, "here")
    with pytest.raises(ValidationError, match="no layer 'fire2' in vgg19"):
        Settings.model_validate({"content_layers": "fire2"})


def test_a_wrong_setting_does_not_make_others_wrong() -> None:
    """The layers' defaults cannot be made where a setting before them is wrong: that is no problem of its own."""
    for values in ({"network": "vgg18"}, {"network": "vgg18", "pooling": "average", "content_layers": "fire2"}):
        with pytest.raises(ValidationError) as caught:
            Settings.model_validate(values)
        ((setting, message),) = problems(caught.value)
        assert setting == "network"
        assert "'vgg16'" in message


@pytest.mark.parametrize("name", ["content_weight", "style_weight", "tv_weight", "style_scale", "learning_rate"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", -0.001, float("nan"), float("inf")])
def test_a_number_that_is_not_finite_or_negative_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({name: value})
    assert [setting for setting, _ in problems(caught.value)] == [name]


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [("size", 16, 4096), ("steps", 1, 100_000), ("seed", 0, 2**63 - 1), ("history", 1, 1000)],
)
def test_whole_numbers_have_bounds(name: str, lowest: int, highest: int) -> None:
    for value in (lowest, highest, str(lowest), float(lowest)):
        assert getattr(Settings.model_validate({name: value}), name) == int(value)
    for wrong in (lowest - 1, highest + 1, lowest + 0.5, "many", None):
        with pytest.raises(ValidationError):
            Settings.model_validate({name: wrong})


@pytest.mark.parametrize(
    ("init", "is_picture"), [("content", False), ("noise", False), ("start.png", True), ("noise/content", True)]
)
def test_init_is_a_word_or_a_picture(init: str, is_picture: bool) -> None:
    assert Settings(init=init).starts_from_picture == is_picture


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().size = 64  # type: ignore[misc]


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"sise": 64})


@pytest.mark.parametrize(("name", "word"), [("size", "original"), ("scales", "auto"), ("memory_limit", "auto")])
def test_what_is_a_number_or_a_word_has_one_problem(name: str, word: str) -> None:
    assert getattr(Settings.model_validate({name: word}), name) == word
    for wrong, says in (("large", f"input should be a number or '{word}', not 'large'"), ("-3", ", not '-3'")):
        with pytest.raises(ValidationError) as caught:
            Settings.model_validate({name: wrong})
        ((setting, message),) = problems(caught.value)
        assert setting == name
        assert message.endswith(says)


def test_problems_are_told_in_words() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"size": 5, "optimizer": "sgd"})
    found = dict(problems(caught.value))
    assert found["size"] == "input should be greater than or equal to 16, not 5"
    assert found["optimizer"] == "input should be 'lbfgs' or 'adam', not 'sgd'"


# --set


def test_assignments_are_parsed() -> None:
    given = ["size=256", " steps = 100 ", "init=a=b.png", "style_layers=relu1_1:0.5,relu2_1", "size=128"]
    values = parse_assignments(given)
    assert values == {"size": "128", "steps": "100", "init": "a=b.png", "style_layers": "relu1_1:0.5,relu2_1"}
    assert Settings.model_validate(values).style_layers == {"relu1_1": 0.5, "relu2_1": 1.0}
    assert parse_assignments([]) == {}


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("size", "--set size: write it as name=value"),
        ("sise=64", "no setting 'sise'; did you mean 'size'?"),
        ("=64", "no setting ''"),
        ("id=x", "no setting 'id'"),
        ("size=", "size: "),
        ("size=5", "greater than or equal to 16, not '5'"),
        ("style_weight=nan", "style_weight: "),
        ("style_layers=relu9_1", "no layer 'relu9_1'"),
    ],
)
def test_a_wrong_assignment_says_what_is_wrong(assignment: str, says: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_assignments(["steps=10", assignment])
    assert says in str(caught.value)


def test_all_wrong_values_are_listed_with_where_they_are() -> None:
    with pytest.raises(BadRequest, match=r"^here: size: .*; steps: "):
        check_settings({"size": 1, "steps": 0, "seed": 3}, "here")
