"""A message as a provider gets it: template and address found, places filled."""

from __future__ import annotations

from operators.channels.filling import Outgoing, fill, template_name
from operators.channels.heard import Asked
from schemas.channels import Channels, Offers, Sandbox, Template, WeComEmployee
from sinks.channels.contacts import Contacts
from sinks.channels.gifts import Gift


class Writer:
    """Writes the messages of one channel."""

    def __init__(self, name: str, made: Channels, contacts: Contacts) -> None:
        self._name = name
        self._channel = made.ways[name]
        self._templates = made.templates
        self._contacts = contacts

    def written(self, message: str, asked: Asked, gift: Gift) -> tuple[Outgoing | None, str]:
        """A message, or what is missing for it; `gift` is what it may speak of."""
        channel = self._channel
        if asked.action == "give":
            about = (message, asked.member, "", asked.gift, "", asked.text)
            return Outgoing(*about, {}, asked.marketing, asked), ""
        template = self._templates.get(template_name(asked), {}).get(self._name)
        if template is None and isinstance(channel, WeComEmployee | Sandbox | Offers):
            template = Template() if asked.text or isinstance(channel, Offers) else None
        if template is None:
            return None, "no_template"
        contact = self._contacts.of(asked.member)
        address = asked.member if channel.column == "member" else contact.get(channel.column, "")
        employee = ""
        if isinstance(channel, WeComEmployee):
            employee = contact.get(channel.employee, "")
        lacking = isinstance(channel, WeComEmployee) and not employee
        if channel.column and (not address or lacking):
            return None, "no_address"
        filled = fill(asked, template, contact, address, employee, gift.given)
        return filled._replace(id=message), ""
