"""Good reports of every layout, made of the layouts' own columns, and ways to damage them: functions of a seed."""

from __future__ import annotations

import csv
import io
import random
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape

import xlsxwriter

from qianheng.vendors.layouts import Layout, Platform, platforms

ROWS = 8
LIKE_MONEY = ("money", "balance")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A report as a table: notes and header included (`header` is the header's place), and how it is written."""

    platform: Platform
    layout: Layout
    rows: tuple[tuple[str, ...], ...]
    header: int
    form: str

    def with_rows(self, rows: list[list[str]]) -> Sheet:
        """The same report with other cells."""
        return replace(self, rows=tuple(map(tuple, rows)))

    @property
    def body(self) -> range:
        """The places of its lines."""
        return range(self.header + 1, len(self.rows))

    def columns(self, *units: str) -> list[int]:
        """The places of the columns of some units."""
        names = self.platform.canonical(list(self.rows[self.header]))
        known = [(place, self.platform.columns.get(name)) for place, name in enumerate(names)]
        return [place for place, column in known if column and column.unit in units]


Damage = Callable[[Sheet, random.Random], "bytes | None"]


def good_sheets(random_: random.Random) -> Iterator[Sheet]:
    """One whole report of each layout, its figures drawn, its ratios those of its figures, with a total where the
    vendor writes one."""
    for platform in platforms().values():
        for layout in platform.layouts:
            yield _sheet(platform, layout, random_)


def _sheet(platform: Platform, layout: Layout, random_: random.Random) -> Sheet:
    own = platform.known
    wanted = {"spend", "gmv", "orders", "net_gmv", "payment_roi", "net_roi", "net_rate_1h", "day", "currency", "ctr"}
    wanted |= {"impressions", "clicks", "net_orders", f"{layout.kind}_name"}
    wanted |= set() if layout.kind == "creative" else {f"{layout.kind}_id"}  # an id makes another report of creatives
    if layout.kind == "finance":
        balances = {"deposited", "transferred_in", "balance", "credit_balance", "cash_balance", "day"}
        wanted = set() if "金额" in layout.needs else balances
    names = list(layout.needs)
    for name, column in platform.columns.items():
        taken = {platform.columns[one].field for one in names}
        useful = column.field in wanted and column.field not in taken and not column.fallback
        if useful and not ({"started"} & taken and column.field == "day"):
            names.append(name)
    assert set(names) <= set(own.values())
    lines = [_line(platform, layout, names, number, random_) for number in range(ROWS)]
    if layout.cumulative:
        lines.sort(key=lambda line: float(line[names.index("整体消耗")]))
    notes = [["All CPC Ads Report - Shopee Malaysia"], ["Date Period", "01/06/2026 - 01/06/2026"], []]
    head = notes if platform.name == "shopee" else []
    total = [_total(platform, names, lines)] if platform.name == "qianchuan" and layout.kind in _TOTALLED else []
    form = random_.choice(("csv", "gbk", "xlsx", "plain"))
    return Sheet(platform, layout, tuple(map(tuple, [*head, names, *total, *lines])), len(head), form)


_TOTALLED = ("plan", "product", "creative")


def _line(platform: Platform, layout: Layout, names: list[str], number: int, random_: random.Random) -> list[str]:
    spend, orders = random_.randrange(20_000, 900_000), random_.randrange(12, 90)
    gmv = spend * random_.randrange(110, 400) // 100
    net = gmv * random_.randrange(70, 100) // 100
    shown = random_.randrange(2_000, 90_000)
    clicks = shown * random_.randrange(2, 9) // 100
    values = {
        "spend": _yuan(spend),
        "gmv": _yuan(gmv),
        "net_gmv": _yuan(net),
        "orders": str(orders),
        "net_orders": str(orders - random_.randrange(0, 9)),
        "impressions": str(shown),
        "clicks": str(clicks),
        "payment_roi": f"{gmv / spend:.2f}",
        "net_roi": f"{net / spend:.2f}",
        "net_rate_1h": f"{net / gmv:.2%}",
        "ctr": f"{clicks / shown:.2%}",
        "base_spend": _yuan(spend * 3 // 4),
        "currency": "MYR",
        "day": "2026-06-01",
        "started": f"2026-06-{number + 1:02} 20:00:00",
        "entry": random_.choice(("补偿赠款", "充值", "转出")),
        "amount": _yuan(spend),
        "bidding": "GMV Max" if number % 3 == 0 else "-" if layout.parts else "GMV Max",
        "online": str(orders),
        "cash_balance": _yuan(spend),
        "credit_balance": _yuan(gmv),
        "balance": _yuan(spend + gmv),
    }
    return [_cell(platform.columns[name].field, name, values, number, random_) for name in names]


def _cell(field: str, name: str, values: dict[str, str], number: int, random_: random.Random) -> str:
    if field in values:
        return values[field]
    if field.endswith("_id"):
        return str(1_790_001_112_223_000 + number)
    if field.endswith("_name"):
        return f"夏装 {number}"
    return _yuan(random_.randrange(20_000, 900_000))


def _yuan(fen: int) -> str:
    return f"{fen / 100:.2f}"


def _total(platform: Platform, names: list[str], lines: list[list[str]]) -> list[str]:
    made = []
    for place, name in enumerate(names):
        column = platform.columns[name]
        if column.unit in ("money", "count"):
            total = sum(round(float(line[place]) * 100) for line in lines)
            made.append(_yuan(total) if column.unit == "money" else str(total // 100))
        else:
            made.append("全部" if column.field.endswith("_name") else "")
    return made if "全部" in made else ["全部", *made[1:]]


def written(sheet: Sheet, merge: str = "", formula: tuple[int, int] | None = None) -> bytes:
    """The report as a file, as the vendor or another program writes it."""
    if sheet.form in ("csv", "gbk"):
        return text_of(sheet).encode("utf-8" if sheet.form == "csv" else "gb18030")
    if sheet.form == "xlsx":
        return _vendor_xlsx(sheet)
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_numbers": False}) as book:
        page = book.add_worksheet()
        for number, row in enumerate(sheet.rows):
            for place, cell in enumerate(row):
                if formula == (number, place):
                    page.write_formula(number, place, "=1+1", None, cell)
                else:
                    page.write_string(number, place, cell)
        if merge:
            page.merge_range(merge, "1.00")
    return made.getvalue()


def text_of(sheet: Sheet, delimiter: str = ",") -> str:
    """The report as delimited text."""
    made = io.StringIO(newline="")
    csv.writer(made, delimiter=delimiter).writerows(sheet.rows)
    return made.getvalue()


def _vendor_xlsx(sheet: Sheet) -> bytes:
    """XLSX with inline strings and cell references without row numbers, as 千川 writes it."""
    plain = written(replace(sheet, form="plain", rows=(("",),)))
    lines = []
    for number, row in enumerate(sheet.rows, 1):
        cells = "".join(
            f'<c r="{xlsxwriter.utility.xl_col_to_name(place)}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
            for place, cell in enumerate(row)
        )
        lines.append(f'<row r="{number}">{cells}</row>')
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.namelist():
            xml = source.read(part)
            if part.endswith("sheet1.xml"):
                begin, end = xml.index(b"<sheetData"), xml.index(b"<pageMargins")
                xml = xml[:begin] + f"<sheetData>{''.join(lines)}</sheetData>".encode() + xml[end:]
            target.writestr(part, xml)
    return made.getvalue()


def _rows(sheet: Sheet) -> list[list[str]]:
    return [list(row) for row in sheet.rows]


def _place(sheet: Sheet, random_: random.Random, *units: str) -> tuple[int, int] | None:
    columns = sheet.columns(*units)
    return (random_.choice(sheet.body), random_.choice(columns)) if columns else None


def _cell_made(change: Callable[[str], str], *units: str) -> Damage:
    """One cell of some unit, changed."""

    def damage(sheet: Sheet, random_: random.Random) -> bytes | None:
        if (place := _place(sheet, random_, *units)) is None:
            return None
        rows = _rows(sheet)
        rows[place[0]][place[1]] = change(rows[place[0]][place[1]])
        return written(sheet.with_rows(rows))

    return damage


def _column_made(change: Callable[[str], str], *units: str) -> Damage:
    """All cells of some units, changed, as another program or country writes them."""

    def damage(sheet: Sheet, random_: random.Random) -> bytes | None:
        if not (columns := sheet.columns(*units)):
            return None
        rows = _rows(sheet)
        for number in sheet.body:
            for place in columns:
                rows[number][place] = change(rows[number][place])
        return written(sheet.with_rows(rows))

    return damage


def _cut(sheet: Sheet, random_: random.Random) -> bytes:
    content = written(sheet)
    return content[: random_.randrange(1, len(content))]


def _flipped(sheet: Sheet, random_: random.Random) -> bytes:
    content = bytearray(written(replace(sheet, form=random_.choice(("xlsx", "plain")))))
    content[random_.randrange(len(content))] ^= random_.randrange(1, 256)
    return bytes(content)


def _nul(sheet: Sheet, random_: random.Random) -> bytes:
    content = written(replace(sheet, form="csv"))
    place = random_.randrange(len(content))
    return content[:place] + b"\0" * random_.randrange(1, 9) + content[place:]


def _shifted_row(sheet: Sheet, random_: random.Random) -> bytes:
    rows, place = _rows(sheet), random_.choice(sheet.body)
    at = random_.randrange(1, len(rows[place]))
    rows[place] = [*rows[place][:at], *rows[place][at + 1 :]] if random_.random() < 0.5 else _pushed(rows[place], at)
    return written(sheet.with_rows(rows))


def _pushed(row: list[str], at: int) -> list[str]:
    return [*row[:at], "", *row[at:-1]]


def _shifted_sheet(sheet: Sheet, random_: random.Random) -> bytes:
    rows, at = _rows(sheet), random_.randrange(1, len(sheet.rows[sheet.header]))
    for number in sheet.body:
        rows[number] = _pushed(rows[number], at)
    return written(sheet.with_rows(rows))


def _swapped(sheet: Sheet, random_: random.Random) -> bytes | None:
    columns = sheet.columns(*random_.choice((LIKE_MONEY, ("ratio", "rate"), ("count",))))
    if len(columns) < 2:
        return None
    first, second = random_.sample(columns, 2)
    rows = _rows(sheet)
    header = rows[sheet.header]
    header[first], header[second] = header[second], header[first]
    return written(sheet.with_rows(rows))


def _doubled(sheet: Sheet, random_: random.Random) -> bytes:
    rows = _rows(sheet)
    rows.insert(random_.choice(sheet.body), rows[random_.choice(sheet.body)])
    return written(sheet.with_rows(rows))


def _lost(sheet: Sheet, random_: random.Random) -> bytes:
    rows = _rows(sheet)
    del rows[random_.choice(sheet.body[1:])]
    return written(sheet.with_rows(rows))


def _renamed(sheet: Sheet, random_: random.Random) -> bytes:
    rows = _rows(sheet)
    header = rows[sheet.header]
    header[random_.randrange(len(header))] = "列1"
    return written(sheet.with_rows(rows))


def _merged(sheet: Sheet, random_: random.Random) -> bytes | None:
    if (place := _place(sheet, random_, *LIKE_MONEY)) is None:
        return None
    letter, row = xlsxwriter.utility.xl_col_to_name(place[1]), min(place[0], len(sheet.rows) - 2)
    return written(replace(sheet, form="plain"), merge=f"{letter}{row + 1}:{letter}{row + 2}")


def _formula(sheet: Sheet, random_: random.Random) -> bytes | None:
    place = _place(sheet, random_, *LIKE_MONEY, "count")
    return written(replace(sheet, form="plain"), formula=place) if place else None


def _recoded(wrong: str, right: str = "utf-8") -> Damage:
    return lambda sheet, random_: text_of(sheet).encode(right).decode(wrong, "replace").encode()


def _delimited(delimiter: str) -> Damage:
    return lambda sheet, random_: text_of(sheet, delimiter).encode()


def _unquoted(sheet: Sheet, random_: random.Random) -> bytes | None:
    if (place := _place(sheet, random_, "text")) is None:
        return None
    rows = _rows(sheet)
    rows[place[0]][place[1]] = "夏装,新款"
    return text_of(sheet.with_rows(rows)).replace('"', "").encode()


def _grouped(written_: str) -> str:
    whole, point, part = written_.partition(".")
    return f"{int(whole):,}".replace(",", ".") + ("," + part if point else "") if whole.isdigit() else written_


DAMAGES: dict[str, Damage] = {
    "cut at any byte": _cut,
    "a byte of a workbook changed": _flipped,
    "NULs in it": _nul,
    "two marks before it": lambda sheet, random_: b"\xef\xbb\xbf" * 2 + text_of(sheet).encode(),
    "opened as Latin-1 and saved": _recoded("latin-1"),
    "opened as GBK and saved": _recoded("gbk"),
    "GBK opened as Big5 and saved": _recoded("big5", "gb18030"),
    "separated by |": _delimited("|"),
    "separated by blanks": _delimited(" "),
    "separated by ;": _delimited(";"),
    "a comma in a name, unquoted": _unquoted,
    "one row shifted": _shifted_row,
    "the whole sheet shifted": _shifted_sheet,
    "two columns of a kind swapped": _swapped,
    "a row doubled": _doubled,
    "a row lost": _lost,
    "a column renamed": _renamed,
    "cells merged over rows": _merged,
    "a formula in a cell": _formula,
    "numbers as 1.234,56": _column_made(_grouped, *LIKE_MONEY, "count"),
    "counts as 1.234": _column_made(lambda cell: f"{float(cell) / 1000:.3f}", "count"),
    "rates without their sign": _column_made(lambda cell: cell.rstrip("%"), "rate", "percent"),
    "ids as 1.79E+15": _column_made(lambda cell: f"{float(cell):.2E}" if cell.isdigit() else cell, "id"),
    "days as 1/6/26": _column_made(lambda cell: "1/6/26", "day"),
    "an amount in words": _cell_made(lambda cell: "1.2万", *LIKE_MONEY),
    "an amount typed over": _cell_made(lambda cell: f"{float(cell) * 3:.2f}", *LIKE_MONEY),
    "an amount below zero": _cell_made(lambda cell: f"-{cell}", "money"),
    "an error in a cell": _cell_made(lambda cell: "#DIV/0!", *LIKE_MONEY, "count"),
    "letters among digits": _cell_made(lambda cell: cell.replace("0", "O").replace("1", "l") + "O", "money", "count"),
    "saved as another workbook kind": lambda sheet, random_: b"\xd0\xcf\x11\xe0" + written(sheet)[4:],
}
