"""Component tables of the slots are complete, and components are imported on first use."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from fsarbench.registry import SLOTS, SlotRegistry

SLOT = pytest.mark.parametrize("registry", SLOTS.values(), ids=list(SLOTS))


def run(code: str) -> None:
    """Run code in a new process, since the tests themselves have imported everything."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def imported_for_type_checkers(file: Path) -> dict[str, str]:
    """Classes that an `__init__` names under TYPE_CHECKING, and their modules."""
    nodes = ast.walk(ast.parse(file.read_text()))
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0]
    return {
        name.asname: (node.module or "").rpartition(".")[2]
        for node in imports
        for name in node.names
        if name.asname
    }


@SLOT
def test_the_table_names_every_component_and_no_other(registry: SlotRegistry) -> None:
    package = importlib.import_module(registry.package)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{registry.package}.{module.name}")
    registered = {
        name: component.__module__.rpartition(".")[2]
        for name, component in registry.module_dict.items()
        if component.__module__.startswith(f"{registry.package}.")
    }
    assert dict(registry.built_in()) == registered


@SLOT
def test_editors_see_the_same_classes(registry: SlotRegistry) -> None:
    package = importlib.import_module(registry.package)
    assert package.__file__
    assert imported_for_type_checkers(Path(package.__file__)) == dict(registry.built_in())


@SLOT
def test_classes_come_from_their_slot(registry: SlotRegistry) -> None:
    package = importlib.import_module(registry.package)
    assert dir(package) == sorted(registry.built_in())
    for name in registry.built_in():
        assert getattr(package, name) is registry.find(name) is registry.get(name)
    with pytest.raises(AttributeError, match="no attribute 'Absent'"):
        _ = package.Absent


def test_a_class_imports_only_its_own_module() -> None:
    run(
        "import sys\n"
        "import fsarbench.matchers as matchers\n"
        "assert 'torch' not in sys.modules\n"
        "from fsarbench.matchers import OTAM\n"
        "from fsarbench.registry import MATCHERS\n"
        "assert MATCHERS.find('OTAM') is OTAM and 'TRX' in MATCHERS.known()\n"
        "loaded = {name for name in sys.modules if name.startswith('fsarbench.matchers.')}\n"
        "names = {'otam', 'frame_cosine'}  # its module, and that of its base class\n"
        "assert loaded == {f'fsarbench.matchers.{name}' for name in names}, loaded\n"
        "assert MATCHERS.get('TRX').__name__ == 'TRX'\n"
        "from fsarbench.matchers import *\n"
        "assert BiMHM.__name__ == 'BiMHM'\n"
    )


def test_the_check_of_a_timm_model_loads_no_open_clip() -> None:
    run(
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from fsarbench.cli.app import app\n"
        "done = CliRunner().invoke(app, ['check', 'frozen_synthact_1shot',\n"
        "    '--set', 'backbone.type=TimmCNN', '--set', 'backbone.model=test_resnet',\n"
        "    '--set', 'backbone.pretrained=False', '--set', 'text_encoder=None'])\n"
        "assert done.exit_code == 0, done.output\n"
        "assert 'timm' in sys.modules\n"
        "assert not {'open_clip', 'transformers'} & set(sys.modules)\n"
    )


def test_the_check_of_a_clip_model_loads_no_loader_of_another_library() -> None:
    run(
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from fsarbench.cli.app import app\n"
        "done = CliRunner().invoke(app, ['check', 'frozen_synthact_1shot'])\n"
        "assert done.exit_code == 0, done.output\n"
        "loaded = {name.rpartition('.')[2].partition('_')[0] for name in sys.modules\n"
        "    if name.startswith('fsarbench.backbones.')}\n"
        "assert 'openclip' in loaded\n"
        "assert not {'timm', 'hf', 'torchvision'} & loaded, loaded\n"
        "assert not {'timm', 'transformers', 'pandas'} & set(sys.modules)\n"
    )


def test_the_name_of_a_component_is_reserved_before_it_is_imported() -> None:
    run(
        "import sys\n"
        "from fsarbench.errors import UserError\n"
        "from fsarbench.interfaces import Matcher\n"
        "from fsarbench.registry import MATCHERS\n"
        "class Own(Matcher): pass\n"
        "assert 'fsarbench.matchers.otam' not in sys.modules\n"
        "try:\n"
        "    MATCHERS.register_module(name='OTAM')(Own)\n"
        "except UserError as error:\n"
        "    assert 'taken' in str(error) and 'otam.py' in str(error)\n"
        "else:\n"
        "    raise AssertionError('registered over a built-in component')\n"
        "MATCHERS.register_module(name='TRX', force=True)(Own)\n"
        "from fsarbench.matchers import TRX\n"
        "assert MATCHERS.find('TRX') is Own and TRX is not Own\n"
    )
