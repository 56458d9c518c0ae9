"""Every write of this room, by aggregate; the names below are what other rooms may call."""

from apps.customers.services.customers import (
    CustomerDetails,
    UnableToSaveCustomer,
    archive_customer,
    create_customer,
    update_customer,
)
from apps.customers.services.members import UnableToAddMember, add_member, change_member_role, remove_member

__all__ = [
    "CustomerDetails",
    "UnableToAddMember",
    "UnableToSaveCustomer",
    "add_member",
    "archive_customer",
    "change_member_role",
    "create_customer",
    "remove_member",
    "update_customer",
]
