"""CSV files for the built-in forests: what is wrong with one is reported by file and line."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from modelarts.algorithms import csv_files
from modelarts.algorithms.csv_text import BadCsv

GOOD = "a,b,label\n1,2,x\n3,4,y\n"


def write(folder: Path, **files: str | bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        path = folder / name.replace("_csv", ".csv")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def problem(folder: Path, label_column: str = "", numeric_labels: bool = False) -> str:
    with pytest.raises(BadCsv) as caught:
        csv_files.read(folder, label_column, numeric_labels)
    return str(caught.value)


READ = {
    "BOM": "\ufeff" + GOOD, "Windows": GOOD.replace("\n", "\r\n"), "old Mac": GOOD.replace("\n", "\r"),
    "blanks": "a, b , label\n 1,2, x\n3 ,4,y", "blank lines": "\n\na,b,label\n1,2,x\n\n,,\n3,4,y\n\n",
    "quotes": '"a","b","label"\n"1","2","x"\n"3","4","y"\n', "exponents": "a,b,label\n1e0,+2,x\n3.,4.0,y\n",
}  # fmt: skip


@pytest.mark.parametrize("kind", READ)
def test_a_file_is_read_as_programs_write_it(tmp_path: Path, kind: str):
    table = csv_files.read(write(tmp_path, rows_csv=READ[kind]), "", numeric_labels=False)

    assert table == (["a", "b", "label"], [[1, 2], [3, 4]], ["x", "y"])


def test_labels_may_be_texts_with_anything_in_them(tmp_path: Path):
    content = 'label,a\n"none, ""or""\nnull",1\nnone,2\n类别,3\n'

    table = csv_files.read(write(tmp_path, rows_csv=content), "label", numeric_labels=False)

    assert table.labels == ['none, "or"\nnull', "none", "类别"]


# Of each file: its content, and the message.
WRONG: dict[str, tuple[str | bytes, str]] = {
    "GBK": ("a,b,label\n1,2,x\n3,4,中文\n".encode("gbk"),
            "rows.csv, line 3: byte 0xd6 is not UTF-8; the file seems to be GBK: save it as UTF-8 (in Excel: 'CSV UTF"),
    "GBK header": ("甲,乙,类\n1,2,x\n".encode("gbk"), "line 1: byte 0xbc is not UTF-8; the file seems to be GBK"),
    "Latin 1": ("a,b,label\n1,2,é\n".encode("latin-1"), "line 2: byte 0xe9 is not UTF-8; the file has another enc"),
    "far below": (("a,b,label\n" + "1,2,x\n" * 5000).encode() + "1,2,中\n".encode("gbk"), "rows.csv, line 5002: byte"),
    "UTF-16": (GOOD.encode("utf-16"), "rows.csv, line 1: this is UTF-16 text; save it as UTF-8"),
    "UTF-16 BE": (b"\xfe\xff" + GOOD.encode("utf-16-be"), "line 1: this is UTF-16 text; save it as UTF-8"),
    "UTF-16 without BOM": (GOOD.encode("utf-16-le"), "line 1: contains a NUL character; the file is damaged"),
    "UTF-32": (GOOD.encode("utf-32"), "this is UTF-32 text"),
    "NUL": ("a,b,label\n1,2,x\n1,\0,y\n", "rows.csv, line 3: contains a NUL character"),
    "gzip": (b"\x1f\x8b\x08\x00", "this is a gzip archive; unpack it"),
    "empty": ("", "rows.csv has no rows: a CSV file needs a header line, and a line for each example"),
    "blank": ("\n \n", "rows.csv has no rows"),
    "only a header": ("a,b,label\n", "rows.csv has no rows: a CSV file needs"),
    "no header": ("5.1,3.5,setosa\n4.9,3.0,setosa\n", "line 1: the names of the columns are expected, and it has only "
                  "numbers such as 5.1; write a line with the names above it"),
    "too few values": ("a,b,label\n1,2,x\n\n3,4\n", "rows.csv, line 4: 2 values, where the header has 3 columns"),
    "too many values": ("a,b,label\n1,2,3,x\n", "rows.csv, line 2: 4 values, where the header has 3 columns"),
    "open quote": ('a,b,label\n1,2,x\n1,2,"y\n3,4,z\n', "line 3: the quote of a value that begins here is not closed"),
    "open quote of a large file": ('a,b,label\n1,2,"y\n' + "3,4,z\n" * 30_000,
                                   "line 2: a value has more than 131072 characters; is a quote not closed?"),
    "text behind a quote": ('a,b,label\n1,2,"x"y\n', "line 2: there is text behind the closing quote of a value"),
    "missing value": ("a,b,label\n1,,x\n", "line 2: the value '' in column 'b' is missing; fill it in"),
    "NA": ("a,b,label\nNA,1,x\n", "line 2: the value 'NA' in column 'a' is missing"),
    "NaN": ("a,b,label\nnan,1,x\n", "line 2: the value 'nan' in column 'a' is missing"),
    "missing label": ("a,b,label\n1,2,\n", "line 2: the label in column 'label' is missing"),
    "a text": ("a,b,label\n1,two,x\n", "line 2: could not convert string to float: 'two' in column 'b'; every"),
    "thousands": ('a,b,label\n1,"1,234",x\n', "'1,234' in column 'b'; every column except the label must be a number; "
                  "write numbers without thousands separators"),
    "underscore": ("a,b,label\n1,1_000,x\n", "could not convert string to float: '1_000' in column 'b'"),
    "infinity": ("a,b,label\n1,inf,x\n", "line 2: 'inf' in column 'b' is not a number of at most 3.4e+38"),
    "too large": ("a,b,label\n1,1e39,x\n", "line 2: '1e39' in column 'b' is not a number of at most 3.4e+38"),
    "semicolons": ("a;b;label\n1,5;2;x\n", "line 1: the values seem to be separated by semicolons; save"),
    "tabs": ("a\tb\tlabel\n", "separated by tabs"),
    "full-width commas": ("a，b\n1，2\n", "separated by full-width commas"),
    "Excel's own line": ("sep=,\na,b,label\n1,2,x\n", "line 1: only Excel understands this line; remove it"),
    "one column": ("label\nx\n", "line 1: there is only one column, 'label'; features and a label are needed"),
    "a web page": ("<!DOCTYPE html>\n<html>\n", "line 1: there is only one column, '<!DOCTYPE html>'"),
    "a column without name": ("a,b,label,\n1,2,x,\n", "line 1: column 4 has no name; name it, or remove the column"),
    "an index of pandas": (",a,label\n0,1,x\n", "line 1: column 1 has no name"),
    "a column twice": ("a,a,label\n", "line 1: there are two columns named 'a'; rename one"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_reported_by_file_and_line(tmp_path: Path, kind: str):
    content, message = WRONG[kind]

    assert message in problem(write(tmp_path, rows_csv=content))


def test_a_workbook_is_recognized(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "rows.csv", "w") as archive:
        archive.writestr("xl/workbook.xml", "")

    assert "rows.csv, line 1: this is a ZIP archive, or an Excel workbook; save it as 'CSV UTF-8'" in problem(tmp_path)


@pytest.mark.parametrize(("label", "message"), [
    ("x", "line 2: the label 'x' in column 'label' is not a number; a regressor needs numbers, and Random"),
    ("", "line 2: the label in column 'label' is missing"), ("nan", "line 2: the label in column 'label' is missing"),
    ("inf", "line 2: 'inf' in column 'label' is not a number of at most"),
])  # fmt: skip
def test_a_regressor_needs_numbers_as_labels(tmp_path: Path, label: str, message: str):
    assert message in problem(write(tmp_path, rows_csv=f"a,b,label\n1,2,{label}\n"), numeric_labels=True)


def test_an_unknown_label_column_is_reported_with_those_of_the_file(tmp_path: Path):
    told = "rows.csv, line 1: no column is named 'colour'; they are a, b, label"
    assert problem(write(tmp_path, rows_csv=GOOD), "colour") == told


# --- several files


def test_all_files_of_a_folder_are_read_whatever_the_case_of_their_names(tmp_path: Path):
    write(tmp_path / "deep", B_csv=GOOD, notes=b"\xff")
    write(tmp_path / ".ipynb_checkpoints", old_csv=b"\xff\xff")
    (tmp_path / "folder.csv").mkdir()
    write(tmp_path, empty_csv="", **{"A.CSV": GOOD, "._A.csv": b"\x00\x05"})

    assert csv_files.read(tmp_path, "", numeric_labels=False).labels == ["x", "y", "x", "y"]


def test_an_empty_file_among_others_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    csv_files.read(write(tmp_path, part0_csv=GOOD, part1_csv=""), "", numeric_labels=False)

    assert capsys.readouterr().out == "part1.csv is empty and is left out\n"


def test_a_file_that_was_named_needs_no_extension(tmp_path: Path):
    write(tmp_path, data=GOOD)

    assert csv_files.read(tmp_path / "data", "", numeric_labels=False).labels == ["x", "y"]


@pytest.mark.parametrize(("other", "difference"), [
    ("a,c,label\n", "it lacks b and it has c"), ("a,label\n", "it lacks b"),
    ("b,a,label\n", "they are in another order"),
])  # fmt: skip
def test_files_with_other_columns_are_reported(tmp_path: Path, other: str, difference: str):
    told = f"b.csv, line 1: its columns differ from those of a.csv: {difference}; all files need the same"
    assert problem(write(tmp_path, a_csv=GOOD, b_csv=other)) == f"{told} columns"


FOLDERS = [((), "no file at all"), (("rows.xlsx", "b.csv.gz"), "b.csv.gz, rows.xlsx")]


@pytest.mark.parametrize(("names", "shown"), FOLDERS)
def test_a_folder_without_csv_files_is_reported_with_what_it_has(tmp_path: Path, names: tuple[str, ...], shown: str):
    write(tmp_path, **dict.fromkeys(names, ""))

    assert problem(tmp_path).startswith(f"the input folder has no .csv file, but {shown}: pass a folder with")
