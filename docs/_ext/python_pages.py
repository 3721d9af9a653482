"""Pages of the Python API, read from the source by griffe without importing it."""

import re
from collections.abc import Iterator

import griffe
from markdown import code, contents, literal, page, table

NAMED = re.compile(r"`(fsarbench(?:\.\w+)+)`")
GUIDE = (
    "Every public module, class and function, with the shapes that the tests check in each call. "
    "[](../parts/index.md) has shorter descriptions of the components."
)


class Pages:
    """Pages of the API: one for each module or package directly below `fsarbench`."""

    def __init__(self, package: griffe.Module) -> None:
        self.package = package
        self.labels = {found.path: label(found) for found in _everything(package)}

    def files(self) -> Iterator[tuple[str, str]]:
        """Pairs of a file's name and its text."""
        tops = [module for module in _modules(self.package) if module.docstring]
        names = [module.name for module in tops]
        yield "api/index.md", page("Python API", [GUIDE, ""], contents(names))
        for top in tops:
            yield f"api/{top.name}.md", "\n".join(self.module(top, 1))

    def module(self, module: griffe.Module, level: int) -> Iterator[str]:
        """A module, its members, and the modules below it."""
        title = module.path if level == 1 else module.path.removeprefix("fsarbench.")
        yield from [f"({label(module)})=", f"{'#' * level} {title}", ""]
        yield from self.docstring(module)
        for member in _own(module):
            yield from self.member(member, level + 1)
        for below in _modules(module):
            yield from self.module(below, 2)

    def member(self, member: griffe.Object, level: int) -> Iterator[str]:
        """A class or a function."""
        kind = "class" if isinstance(member, griffe.Class) else "def"
        yield from [f"({label(member)})=", f"{'#' * level} {literal(member.name)}", ""]
        yield from code("python", f"{kind} {signature(member)}")
        yield from self.docstring(member)
        if isinstance(member, griffe.Class):
            for method in _methods(member):
                yield from [
                    f"({label(method)})=",
                    f"**{literal(f'{member.name}.{method.name}')}**",
                    "",
                ]
                yield from code("python", f"def {signature(method)}")
                yield from self.docstring(method)

    def docstring(self, owner: griffe.Object) -> Iterator[str]:
        """The sections of a docstring."""
        for section in owner.docstring.parsed if owner.docstring else ():
            yield from self.section(section)

    def section(self, section: griffe.DocstringSection) -> Iterator[str]:
        """Markdown of a section: unchanged text, tables of arguments, examples as code."""
        kind, value = section.kind.value, section.value
        if kind == "text":
            yield from [self.linked(value), ""]
        elif kind in ("parameters", "attributes", "raises"):
            names = {"parameters": "argument", "attributes": "attribute", "raises": "raises"}
            rows = [(literal(_name(v)), self.linked(v.description)) for v in value]
            yield from table((names[kind], ""), rows)
        elif kind in ("returns", "yields"):
            described = " ".join(self.linked(v.description) for v in value)
            yield from [f"{kind.capitalize()}: {described}", ""]
        elif kind == "admonition":
            yield from code("python", str(value.contents))
        else:
            raise ValueError(f"docstring section {kind!r} is not supported")

    def linked(self, text: str) -> str:
        """Text with links for names of the API; `<` escaped, because shapes are no HTML."""

        def link(match: re.Match[str]) -> str:
            target = self.labels.get(match[1])
            return f"[`{match[1]}`](#{target})" if target else match[0]

        return NAMED.sub(link, text.replace("<", "&lt;"))


def load() -> griffe.Module:
    """The parsed package."""
    package = griffe.load(
        "fsarbench", docstring_parser="google", docstring_options={"warnings": False}
    )
    assert isinstance(package, griffe.Module)
    return package


def label(found: griffe.Object) -> str:
    """Label of a link target. Sphinx's labels ignore case, so classes get a suffix."""
    return f"{found.path}-class" if isinstance(found, griffe.Class) else found.path


def signature(member: griffe.Object) -> str:
    """Name, arguments and result; one argument per line if a single line would be long."""
    function = member
    if isinstance(member, griffe.Class):
        function = member.members.get("__init__", member)
        if not isinstance(function, griffe.Function):
            return member.name + _fields(member)
    assert isinstance(function, griffe.Function)
    arguments = [_argument(p) for p in function.parameters if p.name not in ("self", "cls")]
    short = f"{member.name}({', '.join(arguments)})"
    result = f" -> {function.returns}" if function.returns and function is member else ""
    if len(short + result) <= 88:
        return short + result
    return f"{member.name}(\n" + "".join(f"    {a},\n" for a in arguments) + f"){result}"


def _fields(member: griffe.Class) -> str:
    if "dataclass" not in " ".join(str(d.value) for d in member.decorators):
        return ""
    fields = [m for m in member.members.values() if isinstance(m, griffe.Attribute)]
    arguments = [f"{f.name}: {f.annotation}" + (f" = {f.value}" if f.value else "") for f in fields]
    return "(\n" + "".join(f"    {a},\n" for a in arguments if "ClassVar" not in a) + ")"


def _argument(parameter: griffe.Parameter) -> str:
    stars = {"variadic positional": "*", "variadic keyword": "**"}
    name = stars.get(parameter.kind.value if parameter.kind else "", "") + parameter.name
    typed = f"{name}: {parameter.annotation}" if parameter.annotation else name
    return typed if parameter.default is None or "*" in name else f"{typed} = {parameter.default}"


def _name(value: griffe.DocstringElement) -> str:
    return str(value.annotation if isinstance(value, griffe.DocstringRaise) else value.name)  # type: ignore[attr-defined]


def _modules(module: griffe.Module) -> list[griffe.Module]:
    hidden = ("cli", "__main__")  # The command line has a separate page.
    own = (m for m in module.members.values() if isinstance(m, griffe.Module))
    return sorted((m for m in own if m.name not in hidden), key=lambda m: m.name)


def _own(module: griffe.Module) -> list[griffe.Object]:
    kinds = (griffe.Class, griffe.Function)
    return [m for m in module.members.values() if isinstance(m, kinds) and not m.is_private]


def _methods(owner: griffe.Class) -> list[griffe.Function]:
    functions = (m for m in owner.members.values() if isinstance(m, griffe.Function))
    return [f for f in functions if not f.name.startswith("_") and f.docstring]


def _everything(module: griffe.Module) -> Iterator[griffe.Object]:
    yield module
    for member in _own(module):
        yield member
        if isinstance(member, griffe.Class):
            yield from _methods(member)
    for below in _modules(module):
        yield from _everything(below)
