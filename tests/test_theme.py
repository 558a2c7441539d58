"""The colours keep apart for all eyes, on both backgrounds, and mean what they should."""

from itertools import combinations

import numpy as np
import pytest

from gnnviz.errors import ConfigError
from gnnviz.figures.theme import (
    DARK,
    FONT_SIZE,
    LIGHT,
    LINE_WIDTH,
    MARK_SIZE,
    REFERENCE_WIDTH,
    class_colours,
    colour_scale,
    depth_colours,
    faded,
    model_style,
    theme,
)
from gnnviz.models import MODELS

# Machado, Oliveira & Fernandes 2009, severity 1: what a dichromat sees, in linear RGB.
VISION = {
    "normal": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritan": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def linear_rgb(colour):
    channels = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def oklab(rgb):
    to_cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return to_lab @ np.cbrt(to_cones @ np.clip(rgb, 0, 1))


def distance(one, other, vision):
    matrix = VISION[vision]
    return np.linalg.norm(oklab(matrix @ linear_rgb(one)) - oklab(matrix @ linear_rgb(other)))


def contrast(one, other):
    luminances = [linear_rgb(colour) @ [0.2126, 0.7152, 0.0722] for colour in (one, other)]
    return (max(luminances) + 0.05) / (min(luminances) + 0.05)


def test_the_yardsticks_give_known_answers():
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)
    assert oklab(linear_rgb("#ffffff")) == pytest.approx([1, 0, 0], abs=1e-6)
    assert distance("#ff0000", "#00ff00", "deutan") < distance("#ff0000", "#00ff00", "normal")


@pytest.mark.parametrize("vision", VISION)
def test_class_hues_stay_apart_for_all_eyes(vision):
    colours = (*LIGHT.class_hues, LIGHT.other_class)
    assert len(LIGHT.class_hues) == 8
    assert min(distance(one, other, vision) for one, other in combinations(colours, 2)) >= 0.085


def test_class_hues_are_seen_on_both_backgrounds():
    for colour in (*LIGHT.class_hues, LIGHT.other_class):
        assert contrast(colour, LIGHT.background) >= 1.8
        assert contrast(colour, DARK.background) >= 2.9


@pytest.mark.parametrize("page", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_lines_have_contrast(page):
    assert contrast(page.ink, page.background) >= 12
    assert contrast(page.muted, page.background) >= 4.5
    assert contrast(page.muted, page.placeholder) >= 4.5
    assert contrast(page.reference, page.background) >= 3
    assert all(contrast(hue, page.background) >= 3 for hue in page.model_hues)


@pytest.mark.parametrize("page", [LIGHT, DARK], ids=["light", "dark"])
def test_model_hues_stay_apart_and_are_no_class_hues(page):
    assert min(distance(one, other, "normal") for one, other in combinations(page.model_hues, 2)) >= 0.085
    for hue in page.model_hues:
        assert min(distance(hue, other, "normal") for other in page.class_hues) >= 0.05


def test_depth_gets_darker_on_white_and_lighter_on_the_dark_page():
    lightness = {
        page.mode: [oklab(linear_rgb(c))[0] for c in depth_colours(9, page)] for page in (LIGHT, DARK)
    }
    assert (np.diff(lightness["light"]) < 0).all()
    assert (np.diff(lightness["dark"]) > 0).all()
    assert contrast(LIGHT.depth_stops[0], LIGHT.background) >= 1.6
    assert contrast(DARK.depth_stops[0], DARK.background) >= 2.0


def test_depth_colours_meet_the_stops_and_mix_between_them():
    assert depth_colours(5, LIGHT) == LIGHT.depth_stops
    halfway = depth_colours(9, LIGHT)[1]
    assert halfway == "#6cbca4"  # the mean of #8fd3bd and #4aa58b, rounded to even
    assert depth_colours(1, LIGHT) == LIGHT.depth_stops[:1]


@pytest.mark.parametrize("page", [LIGHT, DARK], ids=["light", "dark"])
def test_signed_numbers_are_blue_below_and_orange_above_a_zero_like_the_page(page):
    minus, zero, plus = (linear_rgb(page.signed_stops[place]) for place in (0, 2, 4))
    assert minus.argmax() == 2
    assert plus.argmax() == 0
    assert page.signed_stops[2] == page.background
    assert colour_scale(page.signed_stops)[2][0] == 0.5
    assert np.ptp(zero) < 0.01


def test_few_classes_take_the_hues_in_order():
    found = class_colours([5, 900, 1], LIGHT)
    assert found.colours == LIGHT.class_hues[:3]
    assert (found.own, found.others) == ((0, 1, 2), ())


def test_beyond_eight_classes_the_largest_keep_hues_and_the_rest_is_grey():
    found = class_colours([1, 50, 60, 70, 80, 2, 90, 100, 110, 120], LIGHT)
    assert found.others == (0, 5)
    assert found.own == (1, 2, 3, 4, 6, 7, 8, 9)
    assert found.colours[0] == found.colours[5] == LIGHT.other_class
    assert tuple(found.colours[index] for index in found.own) == LIGHT.class_hues


def test_of_equally_large_classes_the_first_keep_hues():
    assert class_colours([3] * 10, LIGHT).others == (8, 9)


def test_every_model_has_a_style_of_its_own():
    styles = [model_style(model, LIGHT) for model in MODELS]
    assert len({(style.colour, style.symbol) for style in styles}) == len(MODELS)
    assert len({(style.symbol, style.dash) for style in styles}) == len(MODELS)


def test_a_theme_is_found_by_its_mode():
    assert (theme("light"), theme("dark")) == (LIGHT, DARK)
    with pytest.raises(ConfigError, match="unknown mode 'sepia'; choose from dark, light"):
        theme("sepia")
    with pytest.raises(ConfigError, match="unknown model 'gnc'; choose from"):
        model_style("gnc", LIGHT)


def test_fading_keeps_the_channels():
    assert faded("#ff8001", 0.25) == "rgba(255,128,1,0.25)"


def test_sizes_can_be_projected():
    assert FONT_SIZE - 1 >= 14
    assert min(LINE_WIDTH, REFERENCE_WIDTH) >= 2
    assert MARK_SIZE >= 6
