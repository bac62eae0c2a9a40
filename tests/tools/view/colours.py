"""
The colours of maps and of the page are the same, and they stay apart for
colour-blind eyes: as dichromats see them by the matrices of Machado, Oliveira
and Fernandes (2009), no two of a set are nearer than 12 in CIE L*a*b* (2.3 is
just noticeable), and the ramps' brightness falls from class to class. On the
dark background, which is the terminal's, each differs from free memory by a
contrast of at least 3 (as WCAG 2 counts it).
"""
import itertools
import math
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[3]
NEAREST = 12

EYES = {
    "usual": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.152286, 1.052583, -0.204868],
                   [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968],
                     [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779],
                   [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}


def linear(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in parts]


def lab(colour, eyes):
    red, green, blue = [
        min(1, max(0, sum(f * part for f, part in zip(row, linear(colour)))))
        for row in eyes]
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    fx, fy, fz = [t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116
                  for t in (x, y, z)]
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def contrast(one, other):
    lights = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue
                    for red, green, blue in (linear(one), linear(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def listed(path, pattern):
    text = (ROOT / path).read_text()
    return re.findall(r"[0-9a-f]{6}", re.search(pattern, text, re.S).group(1))


def main():
    scheme, page = "tools/view/scheme.c", "tools/report/common.js"
    sets = {}
    for name, in_c, in_page in (
            ("light", "ramp_light", "LIGHT = { ramp: "),
            ("dark", "ramp_dark", "DARK = { ramp: "),
            ("sites", "colours_of_sites", "SITE_COLOURS = ")):
        sets[name] = listed(scheme, in_c + r"\[\] = \{(.*?)\}")
        assert sets[name] == listed(page, in_page + r"\[(.*?)\]"), name
        assert len(sets[name]) == (8 if name == "sites" else 7), name
    themes = [listed(scheme, r"themes\[\] = \{(.*?)\};")[i:i + 6]
              for i in (0, 6)]
    for theme, selector in zip(themes, (r":root \{(.*?)\}", r"dark\"\] \{(.*?)\}")):
        in_css = listed("tools/report/page.css", selector)
        assert set(theme) <= set(in_css), (theme, in_css)
    for name, colours in sets.items():
        for theme in themes if name == "sites" else \
                [themes[name == "dark"]]:
            together = colours + [theme[3], theme[4]] # free and waste
            for eyes, matrix in EYES.items():
                for a, b in itertools.combinations(together, 2):
                    apart = math.dist(lab(a, matrix), lab(b, matrix))
                    assert apart >= NEAREST, (name, eyes, a, b, apart)
        brightness = [lab(colour, EYES["usual"])[0] for colour in colours]
        assert name == "sites" or all(
            a > b + 5 for a, b in zip(brightness, brightness[1:])), brightness
    for colour in sets["dark"] + sets["sites"] + [themes[1][4]]:
        assert contrast(colour, themes[1][3]) >= 3, colour
    print("the colours stay apart")


main()
