from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "apps.customers"

    def ready(self) -> None:
        from apps.accounts.access import Audience, register_resolver
        from apps.accounts.invitations import register_acceptor
        from apps.customers.access import resolve_customer_actor
        from apps.customers.services.members import accept_membership
        from apps.events.registry import TEXT, id_field, register_event

        register_resolver(Audience.CUSTOMER, resolve_customer_actor)
        register_acceptor("customer", accept_membership)
        fields = {"customer_id": id_field("cus"), "name": TEXT}
        register_event("customers.customer.created", "A customer was added.", fields)
        register_event("customers.customer.updated", "A customer's details changed.", fields)
        register_event("customers.customer.archived", "A customer was retired.", fields)
