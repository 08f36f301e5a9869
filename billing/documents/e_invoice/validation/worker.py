"""The process that validates: reads one request a line, answers one line, keeps schemas and stylesheets compiled.

Run by path and on its own: Saxon aborts a process whose threads use it at once, so it gets one without threads, and
without Django. It ends when nobody has asked for a while, or when whoever started it is gone.
"""

import json
import os
import select
import sys
from functools import cache
from pathlib import Path

from lxml import etree
from saxonche import PySaxonApiError, PySaxonProcessor

IDLE_SECONDS = 600
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_FATAL = ("", "fatal", "error")


class Rules:
    """The rule sets in a folder, each read when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._saxon = PySaxonProcessor(license=False)
        self._compiler = self._saxon.new_xslt30_processor()
        self.schema = cache(self._read_schema)
        self.stylesheet = cache(self._compile)

    def failures(self, xml: str, schema: str, stylesheets: list[str]) -> list[list[str]]:
        """Rule and text of everything that is wrong; what does not follow the schema is not looked at further."""
        try:
            return self._failures(xml, schema, stylesheets)
        except (etree.LxmlError, PySaxonApiError) as error:  # one document that no tool can read stops no other
            return [["XML", str(error)]]

    def _failures(self, xml: str, schema: str, stylesheets: list[str]) -> list[list[str]]:
        root = etree.fromstring(xml.encode())
        compiled = self.schema(schema)
        if not compiled.validate(root):
            return [["XSD", str(error.message)] for error in compiled.error_log]
        node = self._saxon.parse_xml(xml_text=xml)
        reports = (self.stylesheet(name).transform_to_string(xdm_node=node) for name in stylesheets)
        return [failure for report in reports for failure in _failed(report)]

    def _read_schema(self, name: str) -> etree.XMLSchema:
        return etree.XMLSchema(etree.parse(self._folder / name))

    def _compile(self, name: str):  # type: ignore[no-untyped-def]  # saxonche has no types
        return self._compiler.compile_stylesheet(stylesheet_file=str(self._folder / name))


def _failed(report: str) -> list[list[str]]:
    """The failed assertions of a Schematron report; warnings are none."""
    asserts = etree.fromstring(report.encode()).iter(f"{_SVRL}failed-assert")
    return [
        [failed.get("id") or "", " ".join("".join(failed.itertext()).split())]
        for failed in asserts
        if (failed.get("flag") or "") in _FATAL
    ]


def main(folder: str) -> None:
    """Answer until the input ends."""
    rules = Rules(Path(folder))
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints is no answer
    while select.select([requests], [], [], IDLE_SECONDS)[0]:
        line = requests.readline()
        if not line:
            return
        answers.write(json.dumps(rules.failures(**json.loads(line))).encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1])
