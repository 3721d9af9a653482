import gzip
import json
import subprocess
import sys

import open_clip
import pytest
import torch
from safetensors import safe_open

from fsarbench.backbones.tiny_clip.register import MERGES, MODEL, NAME, WEIGHTS, config, register
from fsarbench.data.synthetic.synthact.actions import ACTIONS


@pytest.fixture(scope="module")
def model():
    return open_clip.create_model(NAME, pretrained=str(register())).eval()


@pytest.fixture(scope="module")
def tokenizer():
    register()
    return open_clip.get_tokenizer(NAME)


def test_registering_twice_changes_nothing():
    first = register()
    known = open_clip.list_models()
    assert register() == first == WEIGHTS
    assert open_clip.list_models() == known
    assert known.count(NAME) == 1


def test_the_description_on_disk_names_no_machine_path():
    described = json.loads(MODEL.read_text(encoding="utf-8"))
    assert "tokenizer_kwargs" not in described["text_cfg"]
    assert config()["text_cfg"].pop("tokenizer_kwargs") == {"bpe_path": str(MERGES)}


def test_importing_the_module_does_not_import_torch():
    code = "import sys, fsarbench.backbones.tiny_clip.register; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_size_is_within_its_limits(model):
    assert sum(p.numel() for p in model.parameters()) <= 2_000_000
    assert WEIGHTS.stat().st_size <= 6_000_000


def test_weights_are_single_precision_and_cover_the_model(model):
    with safe_open(WEIGHTS, "pt") as file:
        kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
    assert set(kinds) == set(model.state_dict())
    assert set(kinds.values()) == {"F32"}


def test_the_vision_tower_is_a_standard_one(model):
    assert model.visual.image_size == (64, 64)
    assert model.visual.pool_type == "tok"
    assert model.visual.proj.shape == (128, 128)
    assert model.visual.ln_pre.weight.shape == model.visual.ln_post.weight.shape == (128,)


def test_the_vocabulary_is_the_models(tokenizer):
    assert tokenizer.vocab_size == config()["text_cfg"]["vocab_size"]
    assert tokenizer.context_length == config()["text_cfg"]["context_length"]


def test_every_word_of_the_catalogue_is_one_token(tokenizer):
    words = {word for action in ACTIONS for word in action.name.lower().split()}
    plain = {word for word in words if word.isalpha()}
    assert len(plain) > 50
    assert [word for word in sorted(plain) if len(tokenizer.encode(word)) != 1] == []


def test_class_names_with_a_prompt_fit_the_context(tokenizer):
    tokens = tokenizer([f"a video of {action.name}" for action in ACTIONS])
    assert (tokens == tokenizer.eot_token_id).any(1).all()
    assert len({tuple(row) for row in tokens.tolist()}) == len(ACTIONS)


def test_other_words_are_spelt_and_read_back(tokenizer):
    assert tokenizer.decode(tokenizer.encode("Quixotic 42 übermut")) == "quixotic 4 2 übermut "


def test_the_merges_file_is_as_small_as_its_merges():
    lines = gzip.decompress(MERGES.read_bytes()).decode().split("\n")
    assert all(len(line.split()) == 2 for line in lines[1:])
    assert len(lines) - 1 + 2 * 256 + 2 == config()["text_cfg"]["vocab_size"]


def test_both_towers_meet_in_one_space(model, tokenizer):
    with torch.inference_mode():
        image = model.encode_image(torch.rand(2, 3, 64, 64), normalize=True)
        text = model.encode_text(tokenizer(["something at the left", "two things"]), normalize=True)
    assert image.shape == text.shape == (2, 128)
    torch.testing.assert_close(image.norm(dim=-1), torch.ones(2))
    torch.testing.assert_close(text.norm(dim=-1), torch.ones(2))


def _frame(x: int, y: int) -> torch.Tensor:
    """A grey frame, normalised as for CLIP, with a bright outlined square around (x, y)."""
    pixels = torch.full((3, 64, 64), 0.5)
    pixels[:, y - 7 : y + 7, x - 7 : x + 7] = 0.06
    pixels[:, y - 5 : y + 5, x - 5 : x + 5] = torch.tensor([0.86, 0.12, 0.13])[:, None, None]
    mean, std = torch.tensor(model_mean())[:, None, None], torch.tensor(model_std())[:, None, None]
    return (pixels - mean) / std


def model_mean():
    return open_clip.constants.OPENAI_DATASET_MEAN


def model_std():
    return open_clip.constants.OPENAI_DATASET_STD


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((12, 32), "something in the left half"),
        ((52, 32), "something in the right half"),
        ((32, 12), "something in the upper half"),
        ((32, 52), "something in the lower half"),
    ],
)
def test_it_recognises_positions(model, tokenizer, place, words):
    x, y = place
    mirrored = (63 - x, 63 - y)
    with torch.inference_mode():
        frames = torch.stack([_frame(x, y), _frame(*mirrored)])
        image = model.encode_image(frames, normalize=True)
        here, there = image @ model.encode_text(tokenizer([words]), normalize=True)[0]
    assert here > there + 0.1
