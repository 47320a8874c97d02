"""Report pages as tests look at them: their elements, their drawings, in a browser; an instance of hostile names."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser

from builders import TABLES, TOML, write_instance

import planner


class Elements(HTMLParser):
    """Start tags with their attributes, and the text outside scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.quiet = [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.quiet = tag

    def handle_endtag(self, tag):
        if tag == self.quiet:
            self.quiet = ""

    def handle_data(self, data):
        if not self.quiet:
            self.words.append(data)

    def of(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def drawings(text):
    """Figure -> what its script draws."""
    return json.loads(unpacked(text, "drawings"))


def unpacked(text, name):
    """What the page holds compressed under this name."""
    (packed,) = re.findall(rf'<script type="application/gzip" id="{name}">([^<]*)</script>', text)
    return gzip.decompress(base64.b64decode(packed)).decode("utf-8")


def opened(browser, tmp_path, text, width=1280):
    """The page drawn in a browser without a network; anything it complains about fails the test."""
    file = tmp_path / "report.html"
    file.write_text(text, encoding="utf-8", newline="")
    # a page that still scrolls smoothly can move what is to be clicked from under the pointer
    context = browser.new_context(
        viewport={"width": width, "height": 900}, offline=True, accept_downloads=True, reduced_motion="reduce"
    )
    tab = context.new_page()
    tab.complaints = []
    tab.on("console", lambda m: tab.complaints.append(m.text) if m.type in ("error", "warning") else None)
    tab.on("pageerror", lambda e: tab.complaints.append(str(e)))
    tab.on("dialog", lambda d: (tab.complaints.append(f"dialog {d.message}"), d.dismiss()))
    tab.on(
        "request",
        lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else tab.complaints.append(r.url),
    )
    tab.goto(file.as_uri())
    tab.wait_for_selector("html[data-drawn]", state="attached", timeout=60_000)
    return tab


def undrawn(tab):
    """Figures in which no mark is drawn."""
    return tab.evaluate(
        """() => [...document.querySelectorAll('figure.chart')].filter(f => ![...f.querySelectorAll(
             '.plot .point path, .plot .points path, .plot path.js-line, .plot .sankey-node, .plot .hm image')]
             .some(e => { const b = e.getBoundingClientRect(); return b.width + b.height > 0; })).map(f => f.id)"""
    )


HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    '"><b id=injected>bold</b>',
    "'); alert(3); ('",
    "{{ 7 * 7 }}{% raw %}",
    "%{y} $x^2$ <a href='javascript:alert(4)'>a</a>",
    "=cmd|' /C calc'!A0",
    "<!--<script>",
    "𝔑𝔡 Ünïcödé \u2028 ＆ ‮abc",
)


def hostile_instance(folder):
    a, b, c, d, e, f, g, h, i = (s.replace('"', '""') for s in HOSTILE)
    tables = {
        **TABLES,
        "countries": f'country,name,bloc\nAAA,"{a}",\nBBB,"{b}",EUR\nCHN,"{c}",\n',
        "materials": (
            "material,name,stage,strategic,value_usd_per_t,surplus\n"
            f'ore,"{d}",mining,yes,100,yes\nmetal,"{e}",metal,yes,1000,yes\nmagnet,"{f}",magnet,yes,5000,no\n'
        ),
        "facilities": (
            "facility,name,owner,country,status,capacity_t,startup\n"
            f'pit,"{g}","{h}",AAA,operating,1000,yes\nworks,"{i}",,CHN,operating,500,no\n'
            f'shop,"{a}",,BBB,operating,90,no\nsite,"{b}",,AAA,candidate,0,yes\n'
        ),
        "options": (
            "option,facility,name,module_t,capex_musd,life_years,lead_years\n"
            f'first,site,"{a}",50,0.5,10,1\nsecond,site,"{g}",100,0.9,10,1\n'
        ),
        "sectors": f'sector,name,shortage_usd_per_t\ncars,"{c}",90000\n',
        "sources": (
            "source,title,publisher,url,date\n"
            f'S1,"{a}","{b}",javascript:alert(5),2025\nS2,"{c}","{h}","https://example.org/?q=""><script>",2025\n'
        ),
    }  # fmt: skip
    title = HOSTILE[0].replace("\\", "\\\\")
    toml = TOML.replace('name = "small"', f"name = \"small\"\ntitle = '{title}'\ndescription = '{HOSTILE[1]}'")
    return planner.load(write_instance(folder, tables, toml))
