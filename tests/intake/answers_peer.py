"""A second reader of ISO 20022 answers, by Python's standard library alone.

Usage: python3 answers_peer.py FOLDER
Prints one JSON line for each XML file below FOLDER, in order of its path: the messages in it with every
answer, or why it is no answer. Written from docs/answers.md; it shares nothing with the reader it checks.
"""

import json
import pathlib
import sys
import xml.etree.ElementTree as ET
from decimal import Decimal

PAID = {"ACSC", "ACCC"}
REJECTED = {"RJCT", "CANC"}
RETURN_CODES = {"RRTN", "RPCR", "ARET"}
CAMT = {
    "BkToCstmrAcctRpt": ("camt.052", "Rpt"),
    "BkToCstmrStmt": ("camt.053", "Stmt"),
    "BkToCstmrDbtCdtNtfctn": ("camt.054", "Ntfctn"),
}


def bare(root):
    """The tree without namespaces."""
    for node in root.iter():
        if isinstance(node.tag, str):
            node.tag = node.tag.rpartition("}")[2]
    return root


def text(node, *paths):
    """The first text that is not blank at one of the paths."""
    for path in paths:
        for found in node.findall(path):
            if (found.text or "").strip():
                return "".join(found.itertext()).strip()
    return ""


def texts(node, path):
    return "; ".join(t for t in ((n.text or "").strip() for n in node.findall(path)) if t)


def money(node):
    """(hundredths, currency) of an amount element; None where it is absent."""
    if node is None:
        return None
    hundredths = Decimal(node.text.strip()) * 100
    if hundredths != int(hundredths):
        raise ValueError(f"finer than hundredths: {node.text}")
    return int(hundredths), node.get("Ccy", "")


def day(value):
    return value[:10] or None


def identifier(value):
    return "" if value.upper() == "NOTPROVIDED" else value


def status_word(code):
    return "Paid" if code in PAID else "Rejected" if code in REJECTED else "Pending"


def reasons(node):
    code = text(node, "StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry")
    return code, texts(node, "StsRsnInf/AddtlInf")


def report(body, counter):
    group = body.find("OrgnlGrpInfAndSts")
    answers = []

    def add(scope, status, node, fallback, **more):
        code, words = reasons(node)
        if not code and not words and fallback is not None:
            code, words = reasons(fallback)
        counter[0] += 1
        answers.append(dict(said=status_word(status), scope=scope, status=status, code=code, words=words,
                            record=counter[0], **more))

    group_status = text(body, "OrgnlGrpInfAndSts/GrpSts")
    for batch in body.findall("OrgnlPmtInfAndSts"):
        batch_id, batch_status = text(batch, "OrgnlPmtInfId"), text(batch, "PmtInfSts")
        payments = batch.findall("TxInfAndSts")
        for payment in payments:
            own = text(payment, "TxSts")
            status = own or batch_status or group_status
            fallback = None if own else batch if batch_status else group
            sum_of = money(payment.find("OrgnlTxRef/Amt/InstdAmt")) or money(payment.find("OrgnlTxRef/Amt/EqvtAmt/Amt"))
            add("Payment", status, payment, fallback,
                end_to_end=identifier(text(payment, "OrgnlEndToEndId")),
                instruction=text(payment, "OrgnlInstrId"), batch_ref=batch_id,
                bank_ref=text(payment, "AcctSvcrRef"), day=day(text(payment, "AccptncDtTm")),
                fen=sum_of and sum_of[0], currency=sum_of[1] if sum_of else "",
                account=text(payment, "OrgnlTxRef/CdtrAcct/Id/IBAN", "OrgnlTxRef/CdtrAcct/Id/Othr/Id"))
        if not payments and batch_status:
            add("Batch", batch_status, batch, None, batch_ref=batch_id)
    if not answers and group_status:
        add("Message", group_status, group, None)
    message = dict(kind="pain.002", id=text(body, "GrpHdr/MsgId"),
                   original=text(body, "OrgnlGrpInfAndSts/OrgnlMsgId"), answers=answers, batches=[], foreign=[])
    return [message] if answers else []


def returns(node):
    return text(node, "BkTxCd/Domn/Fmly/SubFmlyCd") in RETURN_CODES


def account(node, side):
    return text(node, f"{side}/Id/IBAN", f"{side}/Id/Othr/Id")


def counted(entry):
    return sum(int(n.text) for n in entry.findall("NtryDtls/Btch/NbOfTxs"))


def alone(entry, details):
    return len(details) == 1 and counted(entry) <= 1


def ties(entry, details, fen, currency):
    """Whether the details of an entry may be believed: they come to it, or nothing can be said."""
    told = []
    for detail in details:
        amount = money(detail.find("Amt")) or money(detail.find("AmtDtls/TxAmt/Amt"))
        amount = amount or money(detail.find("AmtDtls/InstdAmt/Amt"))
        same = text(detail, "CdtDbtInd") in ("", text(entry, "CdtDbtInd"))
        told.append((amount, 1 if same else -1))
    if any(amount is None for amount, _ in told):
        return alone(entry, details)
    if not told or len(told) < counted(entry) or any(amount[1] != currency for amount, _ in told):
        return True
    return sum(sign * amount[0] for amount, sign in told) == fen


def camt(body, kind, element, counter):
    header = text(body, "GrpHdr/MsgId")
    page = text(body, "GrpHdr/MsgPgntn/PgNb")
    messages = []
    for sheet in body.findall(element):
        own = account(sheet, "Acct")
        ours = text(sheet, "Acct/Ccy") or next((n.get("Ccy") for n in sheet.iter("Amt") if n.get("Ccy")), "")
        answers, batches, foreign = [], [], []
        booked_sum = 0
        for entry in sheet.findall("Ntry"):
            counter[0] += 1
            record = counter[0]
            fen, currency = money(entry.find("Amt"))
            status = text(entry, "Sts/Cd", "Sts")
            booked = status == "BOOK"
            sign = 1 if text(entry, "CdtDbtInd") == "CRDT" else -1
            if booked and currency == ours:
                booked_sum += sign * fen
            elif booked:
                foreign.append(record)
            reversal = text(entry, "RvslInd") == "true"
            details = entry.findall("NtryDtls/TxDtls")
            believed = booked and kind != "camt.052"
            if believed and not ties(entry, details, fen, currency):
                foreign.append(record)
                believed = False
            batch = entry.find("NtryDtls/Btch")
            place = None
            if batch is not None or len(details) > 1:
                place = len(batches)
                reference = text(entry, "NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId") or text(entry, "AcctSvcrRef")
                counts = [int(n.text) for n in entry.findall("NtryDtls/Btch/NbOfTxs")]
                batches.append([fen, sum(counts) if counts else None, reference, len(details), record])
            for detail in details or [None]:
                one = place is None or detail is None
                if not one:
                    counter[0] += 1
                node = detail if detail is not None else ET.Element("TxDtls")
                side = text(node, "CdtDbtInd") or text(entry, "CdtDbtInd")
                back = reversal or returns(entry) or returns(node) or node.find("RtrInf") is not None
                if not believed:
                    said = "Pending"
                elif side == "DBIT":
                    said = "Paid"
                else:
                    said = "Returned" if back else "Credit"
                told = money(node.find("Amt")) or money(node.find("AmtDtls/TxAmt/Amt"))
                asked = money(node.find("AmtDtls/InstdAmt/Amt"))
                if told is None and asked is not None and asked[1] == currency:
                    told = asked
                if told is None:
                    told = (fen, currency) if one or alone(entry, details) else asked or (None, "")
                debtor, creditor = account(node, "RltdPties/DbtrAcct"), account(node, "RltdPties/CdtrAcct")
                payee = creditor
                if side == "CRDT":
                    strangers = [a for a in (debtor, creditor) if a and a != own]
                    payee = strangers[0] if strangers else debtor
                words = ""
                if said != "Paid" or back:
                    words = (texts(node, "RtrInf/AddtlInf") or texts(node, "RmtInf/Ustrd")
                             or texts(node, "AddtlTxInf") or texts(entry, "AddtlNtryInf"))
                reference = text(node, "Refs/PmtInfId") or (batches[place][2] if place is not None else "")
                answers.append(dict(
                    said=said, scope="Batch" if detail is None and place is not None else "Payment",
                    status=status, code=text(node, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"), words=words,
                    record=counter[0] if not one else record, reversal=reversal, batch=place,
                    end_to_end=identifier(text(node, "Refs/EndToEndId")),
                    instruction=text(node, "Refs/InstrId"), batch_ref=reference or text(node, "Refs/MsgId"),
                    bank_ref=text(node, "Refs/AcctSvcrRef") or text(entry, "AcctSvcrRef"),
                    day=day(text(entry, "BookgDt/Dt", "BookgDt/DtTm")),
                    fen=told[0], currency=told[1], account=payee))
        identity = text(sheet, "Id")
        if header and identity != header:
            identity = f"{header}/{identity}"
        if page not in ("", "1"):
            identity = f"{identity}#{page}"
        statement = None
        if kind != "camt.054":
            balances = {}
            for balance in sheet.findall("Bal"):
                sign = 1 if text(balance, "CdtDbtInd") == "CRDT" else -1
                balances.setdefault(text(balance, "Tp/CdOrPrtry/Cd"), sign * money(balance.find("Amt"))[0])
            statement = [own, balances.get("OPBD", balances.get("PRCD")), balances.get("CLBD"), booked_sum,
                         day(text(sheet, "FrToDt/FrDtTm")), day(text(sheet, "FrToDt/ToDtTm"))]
        messages.append(dict(kind=kind, id=identity, original="", answers=answers, batches=batches,
                             statement=statement, foreign=foreign))
    return messages


def read(path):
    root = bare(ET.parse(path).getroot())
    body = root[0]
    counter = [0]
    if body.tag == "CstmrPmtStsRpt":
        messages = report(body, counter)
    elif body.tag in CAMT:
        messages = camt(body, *CAMT[body.tag], counter)
    else:
        return dict(refused=body.tag, messages=[])
    return dict(refused="" if messages else body.tag, messages=messages)


def main():
    folder = pathlib.Path(sys.argv[1])
    for path in sorted(folder.rglob("*.xml")):
        print(json.dumps(dict(file=str(path.relative_to(folder)), **read(path))))


main()
