"""Where everything lies, from the root of the project and never from the working folder."""

import os
from pathlib import Path


def project_root() -> Path:
    """Return the project's root: the folder that holds `vocwb/`, or the one that VOCWB_ROOT names.

    VOCWB_ROOT moves data and reports elsewhere (another disk, a test's own folder); the code stays.

    >>> (project_root() / "vocwb").name
    'vocwb'
    """
    return Path(os.environ.get("VOCWB_ROOT") or Path(__file__).parent.parent).resolve()


def programme_folder(programme: str) -> Path:
    """Return the folder of a programme, `data/<programme>`.

    >>> programme_folder("sample").name
    'sample'
    """
    return project_root() / "data" / programme


def raw_folder(programme: str, raw: str | Path | None = None) -> Path:
    """Return the folder that source paths start from: `raw`, or `data/<programme>/raw` if not given.

    A relative `raw` starts from the project's root.

    >>> raw_folder("sample").parts[-2:]
    ('sample', 'raw')
    """
    return (project_root() / raw).resolve() if raw else programme_folder(programme) / "raw"


def store_folder(programme: str) -> Path:
    """Return the folder of a programme's tables, `data/<programme>/store`.

    >>> store_folder("sample").parts[-2:]
    ('sample', 'store')
    """
    return programme_folder(programme) / "store"


def encoder_folder(programme: str) -> Path:
    """Return the folder of the encoders that were fitted with a programme's codebooks, `store/encoders`.

    >>> encoder_folder("sample").parts[-2:]
    ('store', 'encoders')
    """
    return store_folder(programme) / "encoders"


def vector_folder(programme: str) -> Path:
    """Return the folder that keeps vectors of models from one run to the next, `store/vectors`.

    >>> vector_folder("sample").parts[-2:]
    ('store', 'vectors')
    """
    return store_folder(programme) / "vectors"


def report_folder(programme: str, month: str) -> Path:
    """Return the folder of one month's report, `reports/<programme>/<month>`.

    >>> report_folder("sample", "2025-12").parts[-3:]
    ('reports', 'sample', '2025-12')
    """
    return project_root() / "reports" / programme / month


def notebook_folder() -> Path:
    """Return the folder of the notebooks, which stands beside the package.

    >>> notebook_folder().name
    'notebooks'
    """
    return Path(__file__).parent.parent.resolve() / "notebooks"
