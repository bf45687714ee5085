"""`qianheng doctor`: it stores nothing, writes whole copies, and its exit code says what it found."""

from pathlib import Path

from tests.actions.test_reports import answer, call, own_home, stored
from tests.vendors.report_files import ANALYSIS, NAME, TWO, csv_file, vendor_xlsx
from tests.vendors.test_records import ORDERS

__all__ = ["own_home"]


def test_the_doctor_tells_and_repairs_and_stores_nothing(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.csv").write_bytes(csv_file([ANALYSIS, *TWO, TWO[0]], "gbk"))
    told = answer("doctor", tmp_path / f"{NAME}.csv", "--fix", tmp_path / "out", code=1)["files"][0]
    assert told["findings"][0]["finding"] == "repeated"
    assert Path(told["fixed"]).read_bytes().startswith(b"\xef\xbb\xbf")
    assert answer("doctor", told["fixed"], code=0)["files"][0]["healthy"]
    assert answer("import", told["fixed"])["totals"]["spend"] == "350.00"
    assert len(stored()) == 2


def test_orders_that_an_import_takes_are_healthy_and_the_cell_it_rejects_is_named(tmp_path: Path) -> None:
    orders, broken = tmp_path / "orders.csv", tmp_path / "broken.csv"
    orders.write_bytes(csv_file(ORDERS))
    broken.write_bytes(csv_file([ORDERS[0], ["x" if cell == "1,028.90" else cell for cell in ORDERS[1]], *ORDERS[2:]]))
    told = answer("doctor", orders, code=0)["files"][0]
    assert (told["healthy"], told["platform"], told["layout"]) == (True, "doudian", "orders")
    assert answer("import", orders)["files"][0]["rejected"] == []
    finding, noted = answer("doctor", broken, code=1)["files"][0]["findings"]
    assert (finding["grave"], noted["grave"]) == (True, False)
    assert (finding["finding"], finding["rows"], finding["column"]) == ("record_line", [2], "订单应付金额")
    assert answer("import", broken, code=1)["files"][0]["rejected"][0]["row"] == 2


def test_a_folder_of_files_gets_a_folder_of_copies_and_the_worst_exit_code(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / NAME).write_bytes(vendor_xlsx([ANALYSIS, *TWO]))
    (tmp_path / "in" / "b.csv").write_bytes(csv_file([ANALYSIS, *TWO, TWO[0]]))
    (tmp_path / "in" / "c.csv").write_bytes(b"no,report\n1,2\n")
    told = answer("doctor", tmp_path / "in", "--fix", tmp_path / "out", code=2)["files"]
    assert [bool(one["fixed"]) for one in told] == [True, False, False]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.csv"]


def test_a_copy_never_replaces_its_file(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    path.write_bytes(csv_file([ANALYSIS, *TWO, TWO[0]]))
    before = path.read_bytes()
    assert call("doctor", path, "--fix", path).exit_code != 0
    assert path.read_bytes() == before


def test_people_read_a_table_in_their_language(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(vendor_xlsx([ANALYSIS, *TWO]))
    assert "nothing is wrong" in call("doctor", path).output
