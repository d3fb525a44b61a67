"""Archives as tests need them."""

import io
import warnings
import zipfile


def zipped(*files: tuple[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of (name, bytes), the same name as often as given."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as z, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "Duplicate name", which is what is wanted
        for name, data in files:
            z.writestr(name, data)
    return out.getvalue()
