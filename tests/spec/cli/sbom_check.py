"""Validate bills of materials with the formats' own schemas and tools: sbom_check.py FILE…; a line for each finding."""
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from spdx_tools.spdx.parser.error import SPDXParsingError
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

found = 0


def tell(path, text):
    global found
    found += 1
    print(f"{path}: {str(text)[:500]}")


def check_urls(path, urls):
    for url in urls:
        try:
            parsed = PackageURL.from_string(url)
        except ValueError as error:
            tell(path, error)
            continue
        # A colon may be written as it is, and is by us; in the order of qualifiers and all else we agree.
        if parsed.to_string().replace("%3A", ":") != url:
            tell(path, f"{url} is canonically {parsed.to_string()}")


for name in sys.argv[1:]:
    if name.endswith(".cdx.json"):
        import json
        with open(name, encoding="utf-8") as file:
            text = file.read()
        error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
        if error:
            tell(name, error)
        components = json.loads(text)["components"]
        refs = [component["bom-ref"] for component in components]
        if len(set(refs)) != len(refs):
            tell(name, "a bom-ref is there twice")
        check_urls(name, [component["purl"] for component in components if "purl" in component])
    else:
        try:
            document = parse_file(name)
        except SPDXParsingError as error:
            tell(name, error.get_messages())
            continue
        for message in validate_full_spdx_document(document):
            tell(name, f"{message.context.spdx_id}: {message.validation_message}")
        check_urls(name, [ref.locator for package in document.packages for ref in package.external_references])
print(f"{len(sys.argv) - 1} documents, {found} findings")
