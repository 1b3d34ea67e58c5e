"""What a file is, told from its bytes: its name can say anything."""

from __future__ import annotations

import io
import zipfile
from enum import StrEnum

from repayments.faults import CannotReadFile
from repayments.parsing import limits


class FileType(StrEnum):
    """The three kinds of file we read, by the words used in messages."""

    CSV = "a CSV file"
    XLSX = "an Excel workbook (.xlsx)"
    XLS = "an old Excel workbook (.xls)"


SUFFIXES = {FileType.CSV: (".csv", ".txt", ".tsv"), FileType.XLSX: (".xlsx",), FileType.XLS: (".xls",)}

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FOREIGN = [
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"\x1f\x8b", "a packed file (gzip)"),
    (b"Rar!", "a packed file (RAR)"),
    (b"7z\xbc\xaf\x27\x1c", "a packed file (7z)"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
]
_MARKUP = [
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<table", "a web page"),
    (b"<?xml", "an XML file"),
]


def file_type(content: bytes) -> FileType:
    """Tell what the bytes are; check an archive's directory before anything in it is unpacked.

    Raises ``CannotReadFile``: empty, too large, wrong type, encrypted, macros, bomb, damaged.
    """
    if len(content) > limits.MAX_BYTES:
        megabytes = limits.MAX_BYTES // 1024**2
        raise CannotReadFile("file.too_large", size=f"{len(content) / 1024**2:.1f}", limit=megabytes)
    if not content.strip(b"\x00\xef\xbb\xbf\xff\xfe \t\r\n,;|"):
        raise CannotReadFile("file.empty")
    if content.startswith(ZIP):
        return _zip_type(content)
    if content.startswith(OLE):
        return _ole_type(content)
    for magic, name in _FOREIGN:
        if content.startswith(magic):
            raise CannotReadFile("file.wrong_type", found=name)
    start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, name in _MARKUP:
        if start.startswith(magic):
            raise CannotReadFile("file.wrong_type", found=name)
    return FileType.CSV


def _zip_type(content: bytes) -> FileType:
    with open_archive(content) as archive:
        names = {name.lower() for name in archive.namelist()}
    if any(name.endswith("vbaproject.bin") for name in names):
        raise CannotReadFile("file.macros")
    if "xl/workbook.xml" in names:
        return FileType.XLSX
    if "xl/workbook.bin" in names:
        raise CannotReadFile("file.wrong_type", found="an Excel binary workbook (.xlsb)")
    if "content.xml" in names:
        raise CannotReadFile("file.wrong_type", found="an OpenDocument file")
    if "word/document.xml" in names:
        raise CannotReadFile("file.wrong_type", found="a Word document")
    raise CannotReadFile("file.wrong_type", found="a ZIP archive")


def _ole_type(content: bytes) -> FileType:
    def named(name: str) -> bool:
        return name.encode("utf-16-le") in content

    if named("EncryptedPackage"):
        raise CannotReadFile("file.encrypted")
    if named("_VBA_PROJECT"):
        raise CannotReadFile("file.macros")
    if named("Workbook") or named("Book"):
        return FileType.XLS
    raise CannotReadFile("file.wrong_type", found="an old Office document")


def open_archive(content: bytes) -> zipfile.ZipFile:
    """Open a ZIP after its directory has passed: entries, sizes and ratios as declared.

    The declared sizes bind: Python's reader never returns more than a member declares.
    Raises ``CannotReadFile``.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, OverflowError) as error:
        raise CannotReadFile("file.damaged", detail=error) from error
    if len(entries) > limits.MAX_ENTRIES:
        raise CannotReadFile("file.bomb", detail=f"{len(entries)} parts")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > limits.MAX_UNPACKED:
        raise CannotReadFile("file.bomb", detail=f"{unpacked // 1024**2} MB")
    for entry in entries:
        if entry.flag_bits & 0x1:
            raise CannotReadFile("file.encrypted")
        if entry.file_size > limits.MAX_MEMBER:
            raise CannotReadFile("file.bomb", detail=f"{entry.filename} {entry.file_size // 1024**2} MB")
        if entry.file_size > limits.RATIO_FROM and entry.file_size > limits.MAX_RATIO * max(
            1, entry.compress_size
        ):
            raise CannotReadFile(
                "file.bomb",
                detail=f"{entry.filename} {entry.compress_size // 1024} KB → {entry.file_size // 1024**2} MB",
            )
    return archive


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Unpack one member, never more than ``MAX_MEMBER`` bytes whatever it declared.

    Raises ``CannotReadFile`` when it is missing, damaged or too large.
    """
    try:
        with archive.open(name) as member:
            content = member.read(limits.MAX_MEMBER + 1)
    except KeyError as error:
        raise CannotReadFile("file.damaged", detail=f"{name} is missing") from error
    except Exception as error:  # zlib, zipfile and codecs raise a dozen kinds on hostile bytes
        raise CannotReadFile("file.damaged", detail=error) from error
    if len(content) > limits.MAX_MEMBER:
        raise CannotReadFile("file.bomb", detail=name)
    return content
