"""A data set written out in the field's layouts and imported back is the same data set."""

from pathlib import Path

import numpy as np
import pytest

from fsarbench.data.datasets.annotated import AnnotatedVideos
from fsarbench.data.datasets.synthetic import Strokes
from fsarbench.data.datasets.video_folder import VideoFolder
from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.data.importing.from_folder import import_folder
from fsarbench.data.importing.from_lists import import_lists
from fsarbench.data.importing.known_lists import Field
from fsarbench.data.splits import SPLITS
from fsarbench.video import Split, SplitName, VideoDataset
from tests.helpers.split_lists import Made, write_clip_fsar, write_trx

Splits = dict[SplitName, Split]


@pytest.fixture(scope="module")
def strokes(tmp_path_factory: pytest.TempPathFactory) -> Splits:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSARBENCH_DATA", str(tmp_path_factory.mktemp("data")))
        return Strokes(workers=1).splits()


def linked(splits: Splits, folder: Path) -> Made:
    """The videos in folders by class, under ids that are the data set's own; and their lists."""
    made: dict[str, dict[str, list[str]]] = {}
    for name, split in splits.items():
        for video in split.videos:
            label = split.classes[video.label]
            id_ = video.id.replace("/", "_")
            (folder / label).mkdir(parents=True, exist_ok=True)
            (folder / label / f"{id_}.mp4").symlink_to(video.path)
            made.setdefault(name, {}).setdefault(label, []).append(id_)
    return made


def imported(layout: str, made: Made, root: Path, tmp_path: Path) -> VideoDataset:
    if layout == "folder":
        lines = [f'"{c}",{split}' for split, classes in made.items() for c in classes]
        (tmp_path / "splits.csv").write_text("\n".join(["class,split", *lines, ""]))
        import_folder(root, splits=tmp_path / "splits.csv")
        return VideoFolder(str(root))
    write = {"TRX": write_trx, "CLIP-FSAR": write_clip_fsar}[layout]
    import_lists(Field("strokes", "Strokes"), write(tmp_path / "lists", made), root, progress=False)
    return AnnotatedVideos("strokes", str(root), annotations="strokes.csv")


@pytest.mark.parametrize("layout", ["TRX", "CLIP-FSAR", "folder"])
def test_the_same_files_come_in_the_same_episodes(
    layout: str, strokes: Splits, tmp_path: Path
) -> None:
    made = linked(strokes, tmp_path / "videos")
    back = imported(layout, made, tmp_path / "videos", tmp_path).splits()
    settings = EpisodeSettings(way=5, shot=1)
    for name in SPLITS:
        before, after = strokes[name], back[name]
        assert [v.path for v in before.videos] == [v.path.resolve() for v in after.videos]
        assert [v.label for v in before.videos] == [v.label for v in after.videos]
        assert before.readable == after.readable
        for number in range(20):
            ours, other = (
                EpisodeSampler(split, settings, 0).episode(number) for split in (before, after)
            )
            np.testing.assert_array_equal(ours.support, other.support)
            np.testing.assert_array_equal(ours.query, other.query)
