"""Choices of a form as markup: Django includes two templates for each, and a list of countries has two hundred and fifty."""

from typing import Any

from django.forms.renderers import DjangoTemplates

from apps.ui.markup import text_of

_SELECT = "django/forms/widgets/select.html"
_OPTION = "django/forms/widgets/select_option.html"


class FormRenderer(DjangoTemplates):
    """Django's own, but for selects: the same markup, drawn here."""

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        if template_name == _SELECT and _is_plain(context["widget"]):
            # Widgets mark what they get as safe, as they do with what a template gives.
            return _select(context["widget"])
        return str(super().render(template_name, context, request))


def _is_plain(widget: dict[str, Any]) -> bool:
    return all(option["template_name"] == _OPTION for _, options, _ in widget["optgroups"] for option in options)


def _select(widget: dict[str, Any]) -> str:
    groups = "".join([_group(name, options) for name, options, _ in widget["optgroups"]])
    return f'<select name="{text_of(widget["name"])}"{_attributes(widget["attrs"])}>{groups}\n</select>'


def _group(name: object, options: list[dict[str, Any]]) -> str:
    drawn = "".join([f"\n  {_option(option)}" for option in options])
    return f'\n  <optgroup label="{text_of(name)}">{drawn}\n  </optgroup>' if name else drawn


def _option(option: dict[str, Any]) -> str:
    value, label = text_of(str(option["value"])), text_of(option["label"])
    return f'<option value="{value}"{_attributes(option["attrs"])}>{label}</option>'


def _attributes(attributes: dict[str, Any]) -> str:
    given = ((text_of(name), value) for name, value in attributes.items() if value is not False)
    return "".join([f" {name}" if value is True else f' {name}="{text_of(str(value))}"' for name, value in given])
