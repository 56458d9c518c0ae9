"""Who takes part: two invented partners and their invented customers. Any likeness to a real company is chance."""

from __future__ import annotations

from dataclasses import dataclass, field

PASSWORD = "demo-Interlace-26"  # noqa: S105 - printed at every start
OPERATOR_EMAIL = "operator@demo.localhost"


@dataclass(frozen=True, kw_only=True)
class Person:
    name: str
    email: str
    role: str


@dataclass(frozen=True, kw_only=True)
class Role:
    """Somebody at the customer who books time: at which rate, in the customer's currency."""

    name: str
    rate: int


@dataclass(frozen=True, kw_only=True)
class CustomerCast:
    """`vendors` says in which systems the firm works; `billing` is the one that makes its invoices."""

    slug: str
    name: str
    trade: str
    domain: str
    address: str
    contact: Person
    vendors: tuple[str, ...] = ("hubspot", "tryton", "redmine", "xero")
    billing: str = "xero"
    team: tuple[Role, ...] = ()
    works: tuple[str, ...] = ()
    account_count: int = 30
    viewer: Person | None = None
    is_onboarding: bool = False
    joined_after_days: int = 0
    has_revoked_token: bool = False


@dataclass(frozen=True, kw_only=True)
class PartnerCast:
    slug: str
    name: str
    legal_name: str
    currency: str
    time_zone: str
    country: str
    locale: str
    primary_color: str
    accent_color: str
    corner_radius: int
    sign_in_text: str
    support_email: str
    support_phone: str
    address: str
    tax_id: str
    tax_rate: str
    payment_instructions: str
    monogram: str
    plan_name: str
    plan_note: str
    flat_label: str
    flat_amount: int
    unit_label: str
    unit_amount: str
    allowance: int
    policy_name: str
    staff: tuple[Person, ...]
    customers: tuple[CustomerCast, ...] = field(default=())

    @property
    def owner(self) -> Person:
        return self.staff[0]


KRANICH = PartnerCast(
    slug="kranich",
    name="Kranich & Falk",
    legal_name="Kranich & Falk Unternehmenssysteme GmbH",
    currency="EUR",
    time_zone="Europe/Berlin",
    country="DE",
    locale="de",
    primary_color="#0f5c4d",
    accent_color="#9a5b13",
    corner_radius=2,
    sign_in_text="Your business systems, kept in step. Reviewed daily by our integration desk in Berlin.",
    support_email="leitstand@kranich-falk.example",
    support_phone="+49 30 5550 1840",
    address="Kranich & Falk Unternehmenssysteme GmbH\nUferweg 14\n10999 Berlin",
    tax_id="DE299881460",
    tax_rate="19",
    payment_instructions="IBAN DE02 1001 0010 0006 8201 01 · state the invoice number",
    monogram="KF",
    plan_name="Leitstand",
    plan_note="Monitoring, repair and one named engineer.",
    flat_label="Managed integration, monthly fee",
    flat_amount=49000,
    unit_label="Records kept in step",
    unit_amount="9",
    allowance=100,
    policy_name="Leitstand service levels",
    staff=(
        Person(name="Henrike Falk", email="henrike@kranich-falk.example", role="owner"),
        Person(name="Jonas Adebayo", email="jonas@kranich-falk.example", role="engineer"),
        Person(name="Mirela Petrov", email="mirela@kranich-falk.example", role="finance"),
    ),
    customers=(
        CustomerCast(
            slug="brueckner",
            name="Brückner Tragwerk Ingenieure",
            trade="engineering consultancy",
            domain="brueckner-tragwerk.example",
            address="Speicherkai 7\n20457 Hamburg",
            contact=Person(name="Almut Brückner", email="almut@brueckner-tragwerk.example", role="admin"),
            viewer=Person(name="Ole Jensen", email="ole@brueckner-tragwerk.example", role="viewer"),
            vendors=("hubspot", "tryton", "redmine"),
            billing="tryton",
            team=(
                Role(name="Almut Brückner", rate=165),
                Role(name="Ole Jensen", rate=118),
                Role(name="Sevda Aydin", rate=124),
                Role(name="Thilo Marquardt", rate=98),
            ),
            works=("Structural survey", "Load analysis", "Façade planning", "Fire safety concept", "Site supervision"),
            account_count=44,
        ),
        CustomerCast(
            slug="hallstroem",
            name="Hallström Rechtsanwälte",
            trade="law firm",
            domain="hallstroem-recht.example",
            address="Lindenallee 31\n50668 Köln",
            contact=Person(name="Ingrid Hallström", email="ingrid@hallstroem-recht.example", role="admin"),
            team=(
                Role(name="Ingrid Hallström", rate=290),
                Role(name="Matthias Oyelaran", rate=240),
                Role(name="Carla Wiśniewska", rate=150),
            ),
            works=("Due diligence", "Contract review", "Employment matter", "Trade mark filing", "Tender advice"),
            account_count=32,
            joined_after_days=6,
        ),
        CustomerCast(
            slug="atelier-quint",
            name="Atelier Quint",
            trade="design agency",
            domain="atelier-quint.example",
            address="Hofgasse 3\n04109 Leipzig",
            contact=Person(name="Noor Quint", email="noor@atelier-quint.example", role="admin"),
            vendors=("hubspot", "tryton"),
            billing="tryton",
            team=(Role(name="Noor Quint", rate=110), Role(name="Bastian Roth", rate=85)),
            works=("Brand design", "Exhibition concept", "Website", "Annual report"),
            account_count=22,
            is_onboarding=True,
        ),
    ),
)

PRAIRIELIGHT = PartnerCast(
    slug="prairielight",
    name="Prairielight",
    legal_name="Prairielight Managed IT, Inc.",
    currency="USD",
    time_zone="America/Chicago",
    country="US",
    locale="en",
    primary_color="#6d28d9",
    accent_color="#be185d",
    corner_radius=12,
    sign_in_text="Hi there! Your apps talk to each other, and we keep it that way.",
    support_email="hello@prairielight.example",
    support_phone="+1 312 555 0142",
    address="Prairielight Managed IT, Inc.\n410 Dearborn Loop, Suite 900\nChicago, IL 60605",
    tax_id="36-5550142",
    tax_rate="0",
    payment_instructions="ACH routing 071000000, account 5550142, memo: invoice number",
    monogram="P",
    plan_name="All Sync",
    plan_note="We watch it. We fix it. You get on with your day.",
    flat_label="All Sync monthly",
    flat_amount=62000,
    unit_label="Synced records",
    unit_amount="12",
    allowance=120,
    policy_name="All Sync promise",
    staff=(
        Person(name="Delia Okafor", email="delia@prairielight.example", role="owner"),
        Person(name="Marcus Lindgren", email="marcus@prairielight.example", role="engineer"),
        Person(name="Tess Nakamura", email="tess@prairielight.example", role="support"),
    ),
    customers=(
        CustomerCast(
            slug="sauk-river",
            name="Sauk River Engineering",
            trade="engineering consultancy",
            domain="saukriver.example",
            address="1180 Mill Race Road\nSt. Cloud, MN 56301",
            contact=Person(name="Ruth Amundsen", email="ruth@saukriver.example", role="admin"),
            viewer=Person(name="Wade Tucker", email="wade@saukriver.example", role="viewer"),
            team=(
                Role(name="Ruth Amundsen", rate=210),
                Role(name="Wade Tucker", rate=165),
                Role(name="Priya Raman", rate=175),
                Role(name="Luis Ortega", rate=140),
            ),
            works=("Bridge inspection", "Drainage design", "Traffic study", "Permit package", "Survey"),
            account_count=52,
        ),
        CustomerCast(
            slug="ostrander-pike",
            name="Ostrander & Pike Attorneys",
            trade="law firm",
            domain="ostranderpike.example",
            address="22 Courthouse Square\nMadison, WI 53703",
            contact=Person(name="Gwen Ostrander", email="gwen@ostranderpike.example", role="admin"),
            team=(
                Role(name="Gwen Ostrander", rate=420),
                Role(name="Desmond Pike", rate=420),
                Role(name="Ana Ruiz", rate=195),
            ),
            works=("Lease negotiation", "Merger review", "Estate plan", "Patent opinion", "Compliance audit"),
            account_count=28,
            has_revoked_token=True,
        ),
        CustomerCast(
            slug="foxglove",
            name="Foxglove Studio",
            trade="creative agency",
            domain="foxglovestudio.example",
            address="905 Garland Street\nMinneapolis, MN 55401",
            contact=Person(name="Imani Foster", email="imani@foxglovestudio.example", role="admin"),
            team=(
                Role(name="Imani Foster", rate=155),
                Role(name="Theo Bergman", rate=120),
                Role(name="Sunny Park", rate=105),
            ),
            works=("Campaign", "Packaging", "Product film", "Rebrand", "Launch site"),
            account_count=36,
            joined_after_days=16,
        ),
    ),
)

PARTNERS = (KRANICH, PRAIRIELIGHT)
