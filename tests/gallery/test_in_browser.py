"""The gallery of the smoke run, in a real browser: it is drawn, it answers, and it asks for nothing."""

import csv
import json

import numpy as np
import pytest
from ntklens.gallery.spectra import shown_ranks
from ntklens.storage.averages import read_averages
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.support.browser import chromium, errors, prefer, requests, resize, wait_for

FIGURES = [str(number) for number in range(1, 11)]
PHONE = 390  # pixels


@pytest.fixture(scope="module")
def chrome(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(chrome, gallery):
    """The page on a desktop with every part drawn. Tests leave it as they found it."""
    resize(chrome, 1280, 900)
    prefer(chrome, "light")
    open_page(chrome, gallery)
    draw(chrome, *(f"figure-{figure}" for figure in FIGURES), "spectra")
    return chrome


def open_page(chrome, gallery):
    chrome.get(gallery.as_uri())
    chrome.execute_script("document.documentElement.style.scrollBehavior = 'auto'")


def draw(chrome, *sections):
    for section in sections:
        chrome.execute_script("document.getElementById(arguments[0]).scrollIntoView()", section)
        wait_for(
            lambda own=section: chrome.execute_script(
                "return document.getElementById(arguments[0]).dataset.drawn", own
            )
        )


def content_of(finished, figure):
    path = finished / f"results/smoke/figures/figure-{figure}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def plots(chrome, section):
    return chrome.find_elements(By.CSS_SELECTOR, f"#{section} .plot")


def traces(chrome, plot):
    """The traces of a plot: series, bands and laws, with what Plotly was given."""
    return chrome.execute_script(
        "return arguments[0].data.map(({x, y, visible, meta}) => ({x, y, visible, meta}))",
        plot,
    )


def painted(chrome, plot):
    """How many traces of a plot are on the screen."""
    return chrome.execute_script("return arguments[0].querySelectorAll('.scatterlayer .trace').length", plot)


def finite(values):
    return [None if value is None else pytest.approx(value) for value in values]


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_shows_the_numbers_of_its_file(page, finished, figure):
    content = content_of(finished, figure)
    own = plots(page, f"figure-{figure}")
    assert len(own) == len(content["panels"])
    for plot, panel in zip(own, content["panels"], strict=True):
        found = traces(page, plot)
        series = {trace["meta"]["series"]: trace for trace in found if "series" in trace["meta"]}
        assert sorted(series) == list(range(len(panel["series"])))
        for number, expected in enumerate(panel["series"]):
            assert series[number]["y"] == finite(expected["y"])
            assert len(series[number]["x"]) == len(expected["x"])
            # A quantity may have forms that the figure holds and does not draw.
            assert series[number]["visible"] == (expected.get("drawn") is not False)
        assert painted(page, plot) == sum(
            trace["visible"] for trace in found if any(y is not None for y in trace["y"])
        )


@pytest.mark.parametrize(
    ("figure", "x", "y"),
    [
        ("1", "log", ["linear"]),
        ("2", "log", ["log"]),
        ("3", "log", ["log", "log"]),
        ("7", "linear", ["linear"]),
    ],
)
def test_axes_are_those_of_the_static_figure(page, figure, x, y):
    layout = page.execute_script(
        "const {xaxis, yaxis, yaxis2} = arguments[0]._fullLayout;"
        "return [xaxis, yaxis, yaxis2].map((axis) => axis && [axis.type, axis.range])",
        plots(page, f"figure-{figure}")[0],
    )
    assert layout[0][0] == x
    assert [axis[0] for axis in layout[1:] if axis] == y
    training = figure == "1"  # reads from left to right: the train loss falls
    assert (layout[0][1][0] > layout[0][1][1]) == training


def test_hover_tells_width_epoch_value_interval_and_seeds(page, finished):
    (panel, *_) = content_of(finished, "1")["panels"]
    series = panel["series"][1]
    plot = plots(page, "figure-1")[0]
    last = len(series["x"]) - 1
    text = hover(page, plot, 1, last)
    assert "m = 16" in text
    assert f"epoch {series['epoch'][last]}" in text
    for value in (series["x"][last], series["y"][last], series["low"][last], series["high"][last]):
        assert (
            f"{value:.4g}".rstrip("0").rstrip(".") in text.replace(",", "")
            or f"{float(f'{value:.4g}'):g}" in text
        )
    assert "± standard error" in text
    assert "3 seeds" in text


def hover(chrome, plot, series, point):
    """What the page shows while the mouse is at a point."""
    chrome.execute_script("arguments[0].scrollIntoView({block: 'center'})", plot)
    place = chrome.execute_script(
        "const [plot, series, point] = arguments; const {xaxis, yaxis} = plot._fullLayout;"
        "const trace = plot.data.find(({meta}) => meta.series === series);"
        "const box = plot.getBoundingClientRect();"
        "return [xaxis.d2p(trace.x[point]) + xaxis._offset - box.width / 2,"
        " yaxis.d2p(trace.y[point]) + yaxis._offset - box.height / 2]",
        plot,
        series,
        point,
    )
    mouse = ActionChains(chrome)
    mouse.move_to_element(plot).move_to_element_with_offset(plot, *map(round, place)).perform()
    return wait_for(
        lambda: chrome.execute_script("return arguments[0].querySelector('.hoverlayer')?.textContent", plot)
    )


def test_legend_hides_and_shows_a_line_by_keyboard(page):
    section = "figure-1"
    (plot, *_), (button, *_) = (
        plots(page, section),
        page.find_elements(By.CSS_SELECTOR, f"#{section} .legend button"),
    )
    before = painted(page, plot)
    page.execute_script("arguments[0].focus()", button)
    page.switch_to.active_element.send_keys(Keys.SPACE)
    assert page.switch_to.active_element.get_attribute("aria-pressed") == "false"
    hidden = [trace for trace in traces(page, plot) if not trace["visible"]]
    assert {trace["meta"]["group"] for trace in hidden} == {0}
    wait_for(lambda: painted(page, plot) == before - len(hidden))
    page.switch_to.active_element.send_keys(Keys.SPACE)
    wait_for(lambda: painted(page, plot) == before)


def test_all_lines_can_be_hidden_at_once(page):
    section = "figure-1"
    plot = plots(page, section)[0]
    before = painted(page, plot)
    for text, left in (("Hide all", 0), ("Show all", before)):
        page.find_element(By.XPATH, f"//*[@id='{section}']//button[.='{text}']").click()
        wait_for(lambda number=left: painted(page, plot) == number)


@pytest.fixture
def averages(finished):
    return read_averages(finished / "results/smoke/averages/model-scaling/digits/three-layer.h5")


def shown_spectrum(chrome):
    """The eigenvalues that are drawn, and the place of each marker on the curves beside them."""
    return chrome.execute_script(
        "const spectrum = document.getElementById('eigenvalues');"
        "const markers = [...document.querySelectorAll('#along .plot')].flatMap((plot) => plot.data)"
        ".filter(({mode}) => mode === 'markers').map(({y}) => y[0]);"
        "return [spectrum.data[1].y, spectrum.layout.annotations[0].text, markers]"
    )


def test_slider_moves_eigenvalues_and_markers_to_those_of_the_file(page, averages):
    Select(page.find_element(By.ID, "scale")).select_by_visible_text("m = 32")
    point = averages[2]
    spectra, ranks = point.along["eigenvalues"], shown_ranks(160)
    slider = page.find_element(By.ID, "slider")
    slider.send_keys(Keys.HOME)
    for row, epoch in enumerate(spectra.epoch):
        expected = spectra.mean[row, ::-1][ranks - 1]
        wait_for(lambda wanted=expected: np.allclose(shown_spectrum(page)[0], wanted, rtol=1e-3))
        _, mark, markers = shown_spectrum(page)
        means = [_nearest(point.along[name], epoch) for name in ("ntk_trace", "effective_rank")]
        losses = [_nearest(point.along[name], epoch) for name in ("train_loss", "test_loss")]
        position = _nearest(point.along["spectral_position"], epoch)
        assert markers == pytest.approx([*means, *losses, position], rel=1e-4)
        assert mark == f"Γ = {float(f'{means[1]:.4g}'):g}"
        assert slider.get_attribute("aria-valuetext") == f"epoch {epoch}"
        assert f"Epoch {epoch} ·" in page.find_element(By.ID, "readout").text
        slider.send_keys(Keys.ARROW_RIGHT)
    Select(page.find_element(By.ID, "scale")).select_by_visible_text("m = 8")


def _nearest(along, epoch):
    return along.mean[np.argmin(np.abs(along.epoch - epoch))]


def test_slider_can_be_dragged(page, averages):
    slider = page.find_element(By.ID, "slider")
    slider.send_keys(Keys.HOME)
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", slider)
    half = slider.size["width"] // 2
    ActionChains(page).move_to_element_with_offset(slider, 8 - half, 0).click_and_hold().move_by_offset(
        2 * half, 0
    ).release().perform()
    last = averages[0].along["eigenvalues"].epoch[-1]
    assert slider.get_attribute("aria-valuetext") == f"epoch {last}"
    slider.send_keys(Keys.HOME)


def test_another_curve_has_its_own_scales(page):
    curve = Select(page.find_element(By.ID, "curve"))
    assert len(curve.options) == 4
    curve.select_by_visible_text("Noise scaling, Digits (8×8), dense")
    scale = Select(page.find_element(By.ID, "scale"))
    assert [option.text for option in scale.options] == ["0 %", "50 %"]
    wait_for(lambda: "1 seed ·" in page.find_element(By.ID, "readout").text)
    curve.select_by_index(0)


def test_play_goes_through_the_epochs(page):
    play = page.find_element(By.ID, "play")
    play.click()
    wait_for(lambda: page.find_element(By.ID, "slider").get_attribute("value") == "2")
    play.click()
    assert play.text == "Play"
    page.find_element(By.ID, "slider").send_keys(Keys.HOME)


@pytest.fixture
def downloads(page, tmp_path):
    page.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    return tmp_path


def downloaded(chrome, folder, figure, kind):
    section = chrome.find_element(By.ID, f"figure-{figure}")
    button = section.find_element(By.CSS_SELECTOR, f"[data-save={kind}]")
    chrome.execute_script("arguments[0].click()", button)
    path = folder / f"figure-{figure}.{kind}"
    wait_for(path.is_file)
    return path


def test_downloaded_json_has_the_bytes_of_the_file(page, finished, downloads):
    path = downloaded(page, downloads, "8", "json")
    assert path.read_bytes() == (finished / "results/smoke/figures/figure-8.json").read_bytes()


def test_downloaded_csv_has_every_number_of_the_file(page, finished, downloads):
    path = downloaded(page, downloads, "1", "csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = [
        (
            panel["title"],
            series["label"],
            series["epoch"][i],
            x,
            series["y"][i],
            series["low"][i],
            series["high"][i],
        )
        for panel in content_of(finished, "1")["panels"]
        for series in panel["series"]
        for i, x in enumerate(series["x"])
    ]
    found = [
        (
            row["panel"],
            row["series"],
            *(float(row[key]) if row[key] else None for key in ("epoch", "x", "y", "low", "high")),
        )
        for row in rows
    ]
    assert found == expected


def test_numbers_are_there_as_tables(page, finished):
    section = page.find_element(By.ID, "figure-4")
    page.execute_script("arguments[0].open = true", section.find_element(By.CSS_SELECTOR, ".numbers"))
    parts = wait_for(lambda: section.find_elements(By.CSS_SELECTOR, ".numbers details"))
    panels = content_of(finished, "4")["panels"]
    assert len(parts) == len(panels)
    page.execute_script("arguments[0].open = true", parts[0])
    rows = wait_for(lambda: parts[0].find_elements(By.CSS_SELECTOR, "tbody tr"))
    assert len(rows) == sum(len(series["x"]) for series in panels[0]["series"])
    assert rows[0].text.startswith("0 % removed")


def test_static_figure_can_be_shown_instead(page):
    section = page.find_element(By.ID, "figure-2")
    picture = section.find_element(By.CSS_SELECTOR, "img")
    assert not picture.is_displayed()
    for view, static in (("static", True), ("interactive", False)):
        button = section.find_element(By.CSS_SELECTOR, f"[data-view={view}]")
        page.execute_script("arguments[0].click()", button)
        assert picture.is_displayed() is static
        assert button.get_attribute("aria-pressed") == "true"
    assert page.execute_script("return arguments[0].naturalWidth", picture) > 500
    assert picture.get_attribute("alt").startswith("Figure 2. Test loss, effective rank")


def test_claims_stand_beside_the_figure(page, finished):
    table = (finished / "results/smoke/tables/paper-comparison.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(table.splitlines()) if row["figure"] == "3"]
    shown = page.find_elements(By.CSS_SELECTOR, "#figure-3 .claim tbody tr")
    assert len(shown) == len(rows)
    for row, expected in zip(shown, rows, strict=True):
        assert expected["curve"] in row.text
        assert expected["verdict"] in row.text


def test_zoomed_logarithmic_axis_gets_ticks_of_its_own(page):
    plot = plots(page, "figure-3")[0]
    wide = page.execute_script("return arguments[0].layout.xaxis.tickvals", plot)
    page.execute_script("return window.Plotly.relayout(arguments[0], {'xaxis.range': [1.0, 1.2]})", plot)
    close = wait_for(
        lambda: (
            (found := page.execute_script("return arguments[0].layout.xaxis.tickvals", plot)) != wide
            and found
        )
    )
    assert all(10 <= tick <= 10**1.2 for tick in close)
    assert len(close) >= 2


def test_a_zoom_outlasts_what_is_hidden(page):
    plot = plots(page, "figure-2")[1]

    def axis():
        return page.execute_script(
            "const { range, tickvals } = arguments[0].layout.xaxis; return [range, tickvals]", plot
        )

    whole, _ = axis()
    area = plot.find_element(By.CSS_SELECTOR, ".nsewdrag")
    page.execute_script("arguments[0].scrollIntoView({ block: 'center' })", plot)
    drag = ActionChains(page).move_to_element_with_offset(area, -40, 0).click_and_hold()
    drag.move_by_offset(40, 0).move_by_offset(40, 0).release().perform()
    zoomed = wait_for(lambda: (found := axis())[0] != whole and found)
    assert zoomed[0][1] - zoomed[0][0] < 0.7 * (whole[1] - whole[0])
    for shown in ("false", "true"):
        button = page.find_element(By.CSS_SELECTOR, "#figure-2 .legend button")
        page.execute_script("arguments[0].click()", button)
        wait_for(
            lambda shown=shown: (
                page.find_element(By.CSS_SELECTOR, "#figure-2 .legend button").get_attribute("aria-pressed")
                == shown
            )
        )
        assert axis()[0] == zoomed[0]
        assert wait_for(lambda: axis() == zoomed)


def test_page_changes_its_colours_with_the_readers_scheme(page):
    def colours():
        return page.execute_script(
            "const plot = document.querySelector('#figure-1 .plot');"
            "return [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,"
            " plot.layout.font.color, plot.data.at(-1).line.color, plot.layout.paper_bgcolor]"
        )

    light = colours()
    prefer(page, "dark")
    wait_for(lambda: colours()[3] != light[3])
    dark = colours()
    prefer(page, "light")
    wait_for(lambda: colours() == light)
    assert max(_rgb(dark[0])) < 40 < 200 < min(_rgb(dark[1]))
    assert max(_rgb(light[1])) < 60 < 200 < min(_rgb(light[0]))
    assert dark[2] == "#e8eaee"
    assert dark[4] == "rgba(0,0,0,0)"


def _rgb(text):
    return [int(part) for part in text.removeprefix("rgb(").removesuffix(")").split(",")]


def test_nothing_failed_and_nothing_was_asked_for(page, gallery):
    assert errors(page) == []
    asked = {url for url in requests(page) if not url.startswith(("data:", "blob:"))}
    assert asked == {gallery.as_uri()}


def test_page_fits_a_phone(chrome, page, gallery):
    resize(chrome, PHONE, 844, phone=True)
    open_page(chrome, gallery)
    draw(chrome, "figure-9", "spectra")
    widths = chrome.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert widths == [PHONE, PHONE]
    for plot in (*plots(chrome, "figure-9"), *plots(chrome, "spectra")):
        assert 250 < plot.rect["width"] < PHONE
    assert errors(chrome) == []


def test_without_scripts_the_static_figures_are_shown(chrome, page, gallery):
    chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    chrome.get(gallery.as_uri())
    pictures = chrome.find_elements(By.CSS_SELECTOR, "section.figure img")
    assert len(pictures) == len(FIGURES)
    assert pictures[0].is_displayed()
    assert "Scripts are off" in chrome.find_element(By.TAG_NAME, "main").text
    chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
