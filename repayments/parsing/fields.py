# ruff: noqa: E501  (a catalogue of headings)
"""The columns of each kind of file: what they hold, how banks name them, what is required."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from repayments.parsing.text import heading_key


class Holds(StrEnum):
    """What a column holds, and so how its cells are read."""

    ACCOUNT = "account"
    TEXT = "text"
    NAME = "name"
    DATE = "date"
    MONEY = "money"
    NUMBER = "number"
    RATE = "rate"
    CHOICE = "choice"
    DIGITS = "digits"
    YES_NO = "yes_no"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name in the code, the heading of our template, and the other headings that mean it."""

    name: str
    heading: str
    heading_bn: str
    holds: Holds
    required: bool = False
    also: str = ""
    """Other headings, separated by ;"""
    choices: Mapping[str, str] = field(default_factory=dict)
    """Code → words that mean it, separated by ;"""
    most: int = 160
    filled: bool = False
    """A row must fill it (``required`` speaks of the column)."""
    may_be_zero: bool = False
    """Nothing is an amount here: a loan repaid has no outstanding."""

    @property
    def keys(self) -> frozenset[str]:
        """The headings as ``heading_key`` writes them."""
        return frozenset(
            heading_key(text) for text in (self.heading, self.heading_bn, *self.also.split(";")) if text
        )


CLASSES = {
    "standard": "standard;std;uc;unclassified;regular;নিয়মিত;অশ্রেণিকৃত;অশ্রেণীকৃত",
    "sma": "sma;special mention;special mention account;এসএমএ",
    "ss": "ss;substandard;sub standard;sub-standard;নিম্নমান;এসএস",
    "df": "df;doubtful;সন্দেহজনক;ডিএফ",
    "bl": "bl;bad;bad and loss;bad loss;b/l;মন্দ;ক্ষতিজনক;মন্দ ও ক্ষতি;বিএল",
}
GENDERS = {
    "female": "female;f;woman;women;মহিলা;নারী;স্ত্রী",
    "male": "male;m;man;men;পুরুষ",
    "third": "third;third gender;hijra;t;তৃতীয় লিঙ্গ;হিজড়া",
}
SIZES = {
    "informal": "informal;অনানুষ্ঠানিক",
    "cottage": "cottage;কুটির",
    "micro": "micro;মাইক্রো;অতি ক্ষুদ্র",
    "small": "small;ক্ষুদ্র",
    "medium": "medium;মাঝারি",
}
ACTIVITIES = {
    "manufacturing": "manufacturing;manufacture;production;industry;উৎপাদন;শিল্প;উৎপাদনশীল",
    "service": "service;services;সেবা",
    "trading": "trading;trade;business;ব্যবসা;বাণিজ্য",
}
METHODS = {
    "equal_instalment": "equal instalment;equal installment;emi;declining balance;সমান কিস্তি",
    "equal_principal": "equal principal;সমান আসল",
    "flat": "flat;flat rate;ফ্ল্যাট",
    "bullet": "bullet;single;lump sum;এককালীন",
    "step_up": "step up;step-up;graduated;ধাপে ধাপে বাড়ে",
}
FREQUENCIES = {
    "weekly": "weekly;সাপ্তাহিক",
    "fortnightly": "fortnightly;পাক্ষিক",
    "monthly": "monthly;m;মাসিক",
    "quarterly": "quarterly;q;ত্রৈমাসিক",
    "half_yearly": "half yearly;half-yearly;semi annual;ষাণ্মাসিক;অর্ধবার্ষিক",
    "yearly": "yearly;annual;বার্ষিক",
    "every_n_days": "every n days;days;in days;নির্দিষ্ট দিন পরপর",
}
GRACES = {
    "none": "none;no;nil;নাই;নেই",
    "interest_paid": "interest paid;interest only;profit paid;rent paid;provisional profit paid;সুদ পরিশোধ;"
    "মুনাফা পরিশোধ;ভাড়া পরিশোধ;সাময়িক মুনাফা পরিশোধ",
    "interest_added": "interest added;added at the end;profit added;rent added;provisional profit added;শেষে যোগ",
    "interest_capitalised": "interest capitalised;capitalised;capitalized;profit capitalised;rent capitalised;"
    "provisional profit capitalised;মূলধনে যোগ",
    "interest_deferred": "interest deferred;deferred;profit deferred;rent deferred;provisional profit deferred;স্থগিত",
    "interest_waived": "interest waived;waived;profit waived;rent waived;provisional profit waived;free;মওকুফ",
}
DAY_COUNTS = {
    "30/360": "30 by 360;30/360 bond",
    "30E/360": "30e by 360;30/360 european",
    "ACT/360": "actual/360;act by 360",
    "ACT/364": "actual/364;act by 364",
    "ACT/365F": "actual/365;act/365;act by 365",
    "ACT/ACT": "actual/actual;act by act",
    "MONTHLY/12": "monthly;monthly by 12;মাসিক",
}

_ACCOUNT = (
    "account;account no;account number;a/c;a/c no;ac no;acc no;acct no;loan a/c;loan a/c no;loan ac no;loan acc no;"
    "loan account no;loan account number;loan no;loan number;loan id;sub-loan no;sub loan account;borrower account;"
    "borrower a/c no;customer account;হিসাব;হিসাব নম্বর;হিসাব নং;ঋণ হিসাব;ঋণ হিসাব নং;ঋণ নম্বর;ঋণ নং;"
    "একাউন্ট নম্বর;একাউন্ট নং;অ্যাকাউন্ট নম্বর;অ্যাকাউন্ট নং;লোন একাউন্ট;লোন নম্বর"
)
_NAME = (
    "borrower;name;name of borrower;name of the borrower;customer;customer name;client;client name;account title;"
    "account name;entrepreneur;entrepreneur name;name of entrepreneur;proprietor;ঋণগ্রহীতা;গ্রাহকের নাম;গ্রাহক;নাম;"
    "উদ্যোক্তা;উদ্যোক্তার নাম;হিসাবের নাম"
)

REPAYMENTS = (
    Field("account", "Loan account", "ঋণ হিসাব নম্বর", Holds.ACCOUNT, required=True, filled=True, also=_ACCOUNT, most=60),
    Field("value_date", "Payment date", "পরিশোধের তারিখ", Holds.DATE, required=True, filled=True,
          also="date;value date;date of payment;repayment date;date of repayment;paid on;deposit date;transaction date;"
          "tran date;txn date;trn date;collection date;recovery date;date of recovery;receipt date;posting date;"
          "তারিখ;জমার তারিখ;আদায়ের তারিখ;লেনদেনের তারিখ;কিস্তি পরিশোধের তারিখ"),
    Field("amount", "Amount", "টাকার পরিমাণ", Holds.MONEY, required=True, filled=True,
          also="amount paid;paid amount;amt;repayment;repayment amount;payment;payment amount;paid;collected amount;"
          "amount collected;recovery;recovery amount;amount recovered;amount received;received amount;deposit amount;"
          "amount deposited;collection;collection amount;instalment paid;installment paid;total paid;amount in taka;"
          "amount in bdt;amount tk;amount bdt;amount taka;টাকা;পরিমাণ;আদায়;আদায়কৃত টাকা;আদায়ের পরিমাণ;পরিশোধিত টাকা;"
          "পরিশোধের পরিমাণ;জমার পরিমাণ;জমা;আদায়কৃত অর্থ;পরিশোধিত অর্থ"),
    Field("reference", "Reference", "রেফারেন্স নম্বর", Holds.TEXT, required=True, most=80,
          also="ref;ref no;reference no;reference number;transaction id;transaction no;transaction reference;"
          "transaction ref;txn id;txn no;txn ref;trx id;tran id;voucher;voucher no;voucher number;receipt no;"
          "instrument no;journal no;batch no;রেফারেন্স;রেফারেন্স নং;ভাউচার নং;ভাউচার নম্বর;রসিদ নং;রসিদ নম্বর;"
          "লেনদেন নম্বর;লেনদেন নং;সূত্র"),
    Field("borrower", "Borrower name", "ঋণগ্রহীতার নাম", Holds.NAME, also=_NAME),
    Field("principal", "Principal", "আসল", Holds.MONEY,
          also="principal paid;principal amount;of which principal;principal recovered;মূল;আসল টাকা;আসল আদায়"),
    Field("interest", "Interest", "সুদ", Holds.MONEY,
          also="interest paid;interest amount;of which interest;profit;profit paid;rent;provisional profit;"
          "interest recovered;মুনাফা;সুদ আদায়;ভাড়া;সাময়িক মুনাফা"),
    Field("charge", "Charge", "চার্জ", Holds.MONEY, also="charges;fee;fees;other charges;penal;penal interest;fine;ফি;জরিমানা"),
    Field("branch", "Branch", "শাখা", Holds.TEXT, also="branch name;name of branch;br;br name;শাখার নাম"),
)  # fmt: skip

_PERSON = (
    Field("person_name", "Borrower name", "উদ্যোক্তার নাম", Holds.NAME, required=True, filled=True, also=_NAME),
    Field("nid", "NID", "জাতীয় পরিচয়পত্র নম্বর", Holds.DIGITS,
          also="nid no;nid number;national id;national id no;voter id;এনআইডি;জাতীয় পরিচয়পত্র;এনআইডি নম্বর;এনআইডি নং"),
    Field("gender", "Gender", "লিঙ্গ", Holds.CHOICE, required=True, filled=True, also="sex;নারী/পুরুষ", choices=GENDERS),
    Field("phone", "Phone", "মোবাইল নম্বর", Holds.DIGITS,
          also="mobile;mobile no;mobile number;phone no;phone number;cell;contact no;মোবাইল;ফোন;ফোন নম্বর;মোবাইল নং"),
    Field("enterprise_name", "Enterprise", "প্রতিষ্ঠানের নাম", Holds.NAME, required=True, filled=True,
          also="enterprise name;name of enterprise;firm;firm name;business name;name of business;company;"
          "institution name;প্রতিষ্ঠান;ব্যবসা প্রতিষ্ঠান"),
)  # fmt: skip
_FIRM = (
    Field("size_tier", "Size", "আকার", Holds.CHOICE, required=True, filled=True, choices=SIZES,
          also="size tier;enterprise size;category;cmsme category;cmsme;খাতের আকার;শ্রেণি"),
    Field("activity", "Activity", "কার্যক্রম", Holds.CHOICE, required=True, filled=True, choices=ACTIVITIES,
          also="type of business;business type;nature of business;activity type;ব্যবসার ধরন;কার্যক্রমের ধরন"),
    Field("sector", "Sector", "খাত", Holds.TEXT, also="sub-sector;sub sector;industry sector;উপখাত", most=60),
    Field("district", "District", "জেলা", Holds.TEXT, also="district name;zila;zilla;জেলার নাম", most=40),
)  # fmt: skip
_MACHINERY = Field("is_machinery", "For machinery", "যন্ত্রপাতির জন্য", Holds.YES_NO,
                   also="machinery;is machinery;capital machinery;machinery loan;যন্ত্রপাতি")  # fmt: skip
_LOAN_AMOUNT = "loan amount;disbursed amount;amount disbursed;disbursement amount;sanctioned amount;sanction amount;amt;amount in taka;amount tk;amount bdt;disbursement;ঋণের পরিমাণ;বিতরণকৃত টাকা;টাকা;পরিমাণ;প্রস্তাবিত ঋণ;বিতরণের পরিমাণ"

SUBLOANS = (
    Field("account", "Loan account", "ঋণ হিসাব নম্বর", Holds.ACCOUNT, required=True, filled=True, also=_ACCOUNT, most=60),
    *_PERSON,
    Field("trade_licence", "Trade licence", "ট্রেড লাইসেন্স নম্বর", Holds.TEXT, most=60,
          also="trade licence no;trade license;trade license no;tl no;ট্রেড লাইসেন্স"),
    *_FIRM,
    Field("cluster_code", "Cluster", "ক্লাস্টার", Holds.TEXT, also="cluster code;ক্লাস্টার কোড", most=12),
    Field("routing_number", "Routing number", "রাউটিং নম্বর", Holds.DIGITS,
          also="routing no;branch routing number;branch routing no;routing;রাউটিং নং"),
    Field("disbursed_date", "Disbursement date", "বিতরণের তারিখ", Holds.DATE, required=True, filled=True,
          also="date of disbursement;disbursed on;disbursed date;loan date;disb date;ঋণ বিতরণের তারিখ"),
    Field("amount", "Amount", "টাকার পরিমাণ", Holds.MONEY, required=True, filled=True, also=_LOAN_AMOUNT),
    Field("annual_rate", "Rate", "সুদের হার", Holds.RATE, required=True, filled=True,
          also="interest rate;rate of interest;annual rate;profit rate;rent rate;rate percent;হার;মুনাফার হার;"
          "ভাড়ার হার;সাময়িক মুনাফার হার"),
    Field("tenor_months", "Tenor months", "মেয়াদ", Holds.NUMBER, required=True, filled=True,
          also="tenor;tenure;tenure months;tenor in months;period;loan period;মেয়াদ মাস"),
    Field("grace_months", "Grace months", "গ্রেস", Holds.NUMBER, also="grace;grace period;grace period months;গ্রেস মাস;গ্রেস পিরিয়ড"),
    Field("grace_kind", "Grace kind", "গ্রেসের ধরন", Holds.CHOICE, choices=GRACES, also="grace type"),
    Field("method", "Method", "পদ্ধতি", Holds.CHOICE, choices=METHODS, also="repayment method;interest method;পরিশোধ পদ্ধতি"),
    Field("frequency", "Frequency", "কিস্তির ধরন", Holds.CHOICE, choices=FREQUENCIES,
          also="repayment frequency;instalment frequency;installment frequency;mode of repayment"),
    Field("instalment_count", "Instalments", "কিস্তির সংখ্যা", Holds.NUMBER,
          also="instalment count;no of instalments;no of installments;number of instalments;installments;কিস্তি"),
    Field("first_due_date", "First due date", "প্রথম কিস্তির তারিখ", Holds.DATE,
          also="first instalment date;first installment date;1st instalment date;first repayment date"),
    Field("every_days", "Every days", "যত দিন পরপর", Holds.NUMBER, also="days between instalments;interval days"),
    Field("due_day", "Due day", "মাসের নির্দিষ্ট দিন", Holds.NUMBER, also="day of month;fixed due day;instalment day"),
    Field("day_count", "Day count", "দিন গণনা", Holds.CHOICE, choices=DAY_COUNTS, also="day basis;days basis;year basis"),
    Field("step_percent", "Step percent", "ধাপের শতাংশ", Holds.RATE, also="step;step up percent;increase percent"),
    Field("step_every", "Step every", "যত কিস্তি পর ধাপ", Holds.NUMBER, also="step after;instalments per step"),
    Field("tranche_number", "Tranche", "কিস্তি ছাড় নম্বর", Holds.TEXT, also="tranche no;tranche number;drawdown no", most=40),
    Field("purpose", "Purpose", "উদ্দেশ্য", Holds.TEXT, also="loan purpose;purpose of loan;ঋণের উদ্দেশ্য", most=120),
    _MACHINERY,
)  # fmt: skip

BORROWERS = (
    *_PERSON,
    *_FIRM,
    Field("amount", "Amount", "টাকার পরিমাণ", Holds.MONEY, required=True, filled=True,
          also=f"{_LOAN_AMOUNT};requested amount;proposed amount;proposed loan"),
    _MACHINERY,
)  # fmt: skip

PLANS = (
    Field("account", "Loan account", "ঋণ হিসাব নম্বর", Holds.ACCOUNT, required=True, filled=True, also=_ACCOUNT, most=60),
    Field("instalment", "Instalment", "কিস্তি নম্বর", Holds.NUMBER, required=True, filled=True,
          also="instalment no;instalment number;installment;installment no;installment number;inst no;কিস্তি নং;কিস্তি"),
    Field("due_date", "Due date", "কিস্তির তারিখ", Holds.DATE, required=True, filled=True,
          also="instalment date;installment date;date due;payable on;পরিশোধ্য তারিখ"),
    Field("principal", "Principal", "আসল", Holds.MONEY, required=True, filled=True, may_be_zero=True,
          also="principal due;principal amount;আসল টাকা"),
    Field("interest", "Interest", "সুদ", Holds.MONEY, also="interest due;interest amount;profit;rent;provisional profit;মুনাফা;ভাড়া;সাময়িক মুনাফা"),
)  # fmt: skip

NEW_PLAN = tuple(replace(spec, required=True, filled=True, may_be_zero=True) for spec in PLANS[1:])
"""One loan's new plan: no account, and an instalment may be of interest or of principal only."""

POSITIONS = (
    Field("account", "Loan account", "ঋণ হিসাব নম্বর", Holds.ACCOUNT, required=True, filled=True, also=_ACCOUNT, most=60),
    Field("value_date", "As of", "যে তারিখে", Holds.DATE, required=True, filled=True,
          also="date;as on;as at;position date;statement date;reporting date;তারিখ;স্থিতির তারিখ"),
    Field("amount", "Outstanding", "স্থিতি", Holds.MONEY, required=True, filled=True, may_be_zero=True,
          also="outstanding amount;outstanding balance;outstanding principal;principal outstanding;balance;os;o/s;"
          "অপরিশোধিত;অপরিশোধিত আসল;আসল স্থিতি;বকেয়া স্থিতি"),
    Field("overdue", "Overdue", "মেয়াদোত্তীর্ণ", Holds.MONEY, required=True, filled=True, may_be_zero=True,
          also="overdue amount;arrears;amount overdue;past due;od;মেয়াদোত্তীর্ণ টাকা;বকেয়া"),
    Field("declared_class", "Class", "শ্রেণি", Holds.CHOICE, choices=CLASSES,
          also="classification;classification status;cl status;loan class;status;শ্রেণিকরণ;শ্রেণীকরণ;শ্রেণিমান"),
    Field("borrower", "Borrower name", "ঋণগ্রহীতার নাম", Holds.NAME, also=_NAME),
)  # fmt: skip

FIELDS: dict[str, tuple[Field, ...]] = {
    "positions": POSITIONS,
    "repayments": REPAYMENTS,
    "subloans": SUBLOANS,
    "plans": PLANS,
    "new_plan": NEW_PLAN,
    "borrowers": BORROWERS,
}
TOTAL_WORDS = (
    r"(?i)^(?:grand |sub ?-?|page |net )?total\b|^(?:সর্ব)?মোট|^উপ-?মোট|^সর্বমোট|^(?:grand |sub)?total ?[:=]"
)
