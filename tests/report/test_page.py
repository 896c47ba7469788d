from __future__ import annotations

import json

from compresskit.report.page import build_page, embed_json, facts, flatten, table

NASTY = "</script><script>alert('x')</script><!-- & \u2028"


def test_embedded_json_cannot_end_its_element_and_reads_back() -> None:
    text = embed_json({"name": NASTY})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"name": NASTY}


def test_page_has_one_data_element_whatever_is_in_it() -> None:
    page = build_page(NASTY, "<p>$body ${x} stays</p>", {"name": NASTY}, ("chart.js",))
    assert page.count("</script>") == 2
    assert page.count("<script") == 2
    assert "<p>$body ${x} stays</p>" in page
    assert "alert('x')</script>" not in page


def test_names_and_values_are_escaped() -> None:
    assert facts([("a<b", 'c"&')]) == '<dl class="facts"><dt>a&lt;b</dt><dd>c&quot;&amp;</dd></dl>'


def test_tables_scroll_and_can_be_reached_by_keyboard() -> None:
    text = table(["a<", "b"], [("dense", ["1", "2"])], name="x<")
    assert '<div class="scroll" role="region" tabindex="0" aria-label="x&lt;">' in text
    assert '<th scope="col">a&lt;</th>' in text
    assert '<tr class="dense"><td>1</td><td>2</td></tr>' in text


def test_conditions_become_pairs_without_what_is_unknown() -> None:
    nested = {
        "cpu": "x",
        "ram": None,
        "session": {"fast_math": True, "options": {}, "off": ["a", "b"]},
        "n": 0,
    }
    assert list(flatten(nested)) == [
        ("cpu", "x"),
        ("session, fast math", "yes"),
        ("session, off", "a, b"),
        ("n", "0"),
    ]
