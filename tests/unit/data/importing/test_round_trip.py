"""Round trip: a data set exported to each layout and imported again gives the same episodes."""

from pathlib import Path

import numpy as np
import pytest

from fsarbench.data.datasets.annotated import AnnotatedVideos
from fsarbench.data.datasets.synthetic import Strokes
from fsarbench.data.datasets.video_folder import VideoFolder
from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.data.importing.from_folder import import_folder
from fsarbench.data.importing.from_lists import import_lists
from fsarbench.data.importing.known_lists import KnownDataset
from fsarbench.data.splits import SPLITS
from fsarbench.video import Split, SplitName, VideoDataset
from tests.helpers.split_lists import Videos, write_clip_fsar, write_trx

Splits = dict[SplitName, Split]


@pytest.fixture(scope="module")
def strokes(tmp_path_factory: pytest.TempPathFactory) -> Splits:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSARBENCH_DATA", str(tmp_path_factory.mktemp("data")))
        return Strokes(workers=1).splits()


def link_videos(splits: Splits, folder: Path) -> Videos:
    """Link the videos into one folder per class, named by id; return the ids by split and class."""
    ids: dict[str, dict[str, list[str]]] = {}
    for name, split in splits.items():
        for video in split.videos:
            label = split.classes[video.label]
            id_ = video.id.replace("/", "_")
            (folder / label).mkdir(parents=True, exist_ok=True)
            (folder / label / f"{id_}.mp4").symlink_to(video.path)
            ids.setdefault(name, {}).setdefault(label, []).append(id_)
    return ids


def imported(layout: str, ids: Videos, root: Path, tmp_path: Path) -> VideoDataset:
    if layout == "folder":
        lines = [f'"{c}",{split}' for split, classes in ids.items() for c in classes]
        (tmp_path / "splits.csv").write_text("\n".join(["class,split", *lines, ""]))
        import_folder(root, splits=tmp_path / "splits.csv")
        return VideoFolder(str(root))
    write = {"TRX": write_trx, "CLIP-FSAR": write_clip_fsar}[layout]
    dataset = KnownDataset("strokes", "Strokes")
    import_lists(dataset, write(tmp_path / "lists", ids), root, progress=False)
    return AnnotatedVideos("strokes", str(root), annotations="strokes.csv")


@pytest.mark.parametrize("layout", ["TRX", "CLIP-FSAR", "folder"])
def test_the_imported_data_set_has_the_same_episodes(
    layout: str, strokes: Splits, tmp_path: Path
) -> None:
    ids = link_videos(strokes, tmp_path / "videos")
    splits = imported(layout, ids, tmp_path / "videos", tmp_path).splits()
    settings = EpisodeSettings(way=5, shot=1)
    for name in SPLITS:
        before, after = strokes[name], splits[name]
        assert [v.path for v in before.videos] == [v.path.resolve() for v in after.videos]
        assert [v.label for v in before.videos] == [v.label for v in after.videos]
        assert before.readable == after.readable
        for number in range(20):
            expected, episode = (
                EpisodeSampler(split, settings, 0).episode(number) for split in (before, after)
            )
            np.testing.assert_array_equal(episode.support, expected.support)
            np.testing.assert_array_equal(episode.query, expected.query)
