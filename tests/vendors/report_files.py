"""Reports as merchants hold them, made for the tests: the vendor's odd XLSX, ordinary XLSX, CSV in any encoding."""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import xlsxwriter

from qianheng.vendors.exports import Export, Reading, read_export

NOW = datetime(2026, 8, 21, 12, tzinfo=UTC)
NAME = "全域数据_素材分析_视频_2026-06-01 00_00_00-2026-06-01 23_59_59-demo1.xlsx"


def cells(line: str) -> list[str]:
    return line.split(",")


ANALYSIS = cells(
    "素材名称,素材ID,素材评估,素材时长,素材创建时间,素材来源,标签,整体消耗,净成交ROI,净成交金额,"
    "1小时内退款率,整体支付ROI,整体成交金额,净成交金额结算率,净成交订单数"
)
Rows = Sequence[Sequence[object]]


def creative(id_: str, spend: str, gmv: str, net_gmv: str, orders: str = "4", name: str = "视频.mp4") -> list[str]:
    """A row of the creative analysis whose stated ratios fit its amounts."""
    net_roi, payment_roi = (ratio(amount, spend) for amount in (net_gmv, gmv))
    net_rate, refunds = (percent(part, gmv) for part in (net_gmv, str(float(gmv) - float(net_gmv))))
    about = [name, id_, "优质", "00:52", "2026-06-01 10:12:33", "本地上传", "直播引流"]
    return [*about, spend, net_roi, net_gmv, refunds, payment_roi, gmv, net_rate, orders]


def ratio(above: str, below: str) -> str:
    return f"{float(above) / float(below):.2f}" if float(below) else "None"


def percent(part: str, whole: str) -> str:
    return f"{float(part) / float(whole):.2%}" if float(whole) else "0.00%"


TWO = [
    creative("88880000000001", "225.00", "308.25", "265.21"),
    creative("88880000000002", "125.00", "150.00", "129.82"),
]


def vendor_xlsx(rows: Iterable[Sequence[object]]) -> bytes:
    """XLSX as the vendor writes it: inline strings, cell references without row numbers."""
    lines = []
    for number, row in enumerate(rows, 1):
        cells = "".join(
            f'<c r="{xlsxwriter.utility.xl_col_to_name(place)}" t="inlineStr"><is><t>{escape(str(cell))}</t></is></c>'
            for place, cell in enumerate(row)
        )
        lines.append(f'<row r="{number}">{cells}</row>')
    return workbook("".join(lines))


def workbook(rows: str, after: str = "") -> bytes:
    """A workbook of one sheet with this XML as its rows."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" '
        f'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{types}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData>{after}</worksheet>',
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, xml in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{xml}')
    return made.getvalue()


def plain_xlsx(rows: Iterable[Sequence[object]]) -> bytes:
    """XLSX as any other program writes it; numbers as numbers."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                sheet.write(number, place, cell)
    return made.getvalue()


def csv_file(rows: Iterable[Sequence[object]], encoding: str = "utf-8") -> bytes:
    made = io.StringIO(newline="")
    csv.writer(made).writerows(rows)
    return made.getvalue().encode(encoding)


def read(content: bytes, name: str = NAME) -> Export:
    return read_export(name, content, Reading(NOW))
