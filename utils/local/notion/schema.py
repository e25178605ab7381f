"""The properties of a data source: their types, options and ids, and how a client changes them."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from utils.local.notion.checks import (
    Json,
    a_text,
    an_array,
    an_object,
    no_others,
    one_of,
    same_property,
)
from utils.local.notion.refusals import RefusalError, invalid, malformed
from utils.local.notion.richtext import OPTION_COLOURS

TEXT_TYPES = ("title", "rich_text", "url", "email", "phone_number")
OPTION_TYPES = ("select", "multi_select", "status")
READ_ONLY = ("unique_id", "created_time", "last_edited_time", "created_by", "last_edited_by")
TYPES = (*TEXT_TYPES, *OPTION_TYPES, "number", "date", "checkbox", *READ_ONLY)
_NEW_COLOURS = ("blue", "green", "orange", "purple", "pink", "yellow", "red", "brown", "gray", "default")
_ID_SIGNS = "".join(chr(code) for code in range(58, 127))


@dataclass
class Property:
    """One property. `config` is what Notion shows under the key of its type."""

    id: str
    name: str
    type: str
    config: Json = field(default_factory=dict)
    description: str | None = None

    @property
    def options(self) -> list[Json]:
        """The options of a select, multi_select or status property."""
        found: list[Json] = self.config.get("options", [])
        return found

    def show(self) -> Json:
        """As Notion shows it in a data source."""
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "type": self.type,
            self.type: self.config,
        }

    def option(self, wanted: Json, path: str, *, fold: bool = False) -> Json:
        """The option that a written value names, made if need be (a status makes none).

        Args:
            wanted: `{name}` or `{id}`, perhaps with the colour that it has.
            path: where it stands in the body.
            fold: whether an option that differs in case only is the same.

        Raises:
            RefusalError: 400, a comma, another colour, an unknown status or id.
        """
        no_others(wanted, ("id", "name", "color", "description"), path)
        if "name" not in wanted:
            return self._option_by_id(a_text(wanted.get("id", ...), f"{path}.id"))
        name = a_text(wanted["name"], f"{path}.name", 100).strip()
        if not name:
            raise malformed(f"{path}.name.length", "≥ `1`", 0)
        if "," in name:
            raise invalid(f"Invalid select option, commas not allowed: {name}")
        found = next((option for option in self.options if option["name"] == name), None)
        if found is None and fold:
            found = next((option for option in self.options if option["name"].casefold() == name.casefold()), None)
        if found is None and self.type == "status":
            raise invalid(f'Invalid status option. Status option "{name}" does not exist".')
        if found is None:
            found = new_option({"name": name, "color": wanted.get("color")}, path, len(self.options))
            self.config.setdefault("options", []).append(found)
        elif wanted.get("color", found["color"]) != found["color"]:
            raise invalid(f"Select option color doesn't match existing for option with id: {found['id']}")
        return found

    def _option_by_id(self, option_id: str) -> Json:
        for option in self.options:
            if option["id"] == option_id:
                return option
        raise invalid(f"Invalid {self.type} option id: {option_id}")


class Schema:
    """All properties of one data source, in order."""

    def __init__(self, properties: list[Property]) -> None:
        self.properties = properties

    @classmethod
    def load(cls, rows: list[Json]) -> Schema:
        """From what `dump` gave."""
        return cls([Property(**row) for row in rows])

    def dump(self) -> list[Json]:
        """A form for JSON."""
        return [vars(one) for one in self.properties]

    def show(self) -> Json:
        """As Notion shows it in a data source."""
        return {one.name: one.show() for one in self.properties}

    @property
    def title(self) -> Property:
        """The one title property."""
        return next(one for one in self.properties if one.type == "title")

    def find(self, name_or_id: str) -> Property | None:
        """A property by its name, else by its id."""
        for one in self.properties:
            if one.name == name_or_id:
                return one
        return next((one for one in self.properties if same_property(one.id, name_or_id)), None)

    def update(self, changes: Json, path: str = "body.properties") -> list[Change]:
        """Adds, renames, retypes and removes as a client's `properties` say; answers what happened to whom.

        Raises:
            RefusalError: 400, a change that Notion refuses; this object is then of no further use.
        """
        happened = []
        for key, wanted in changes.items():
            change = self._update_one(key, wanted, f"{path}.{key}")
            if change:
                happened.append(change)
        names = [one.name for one in self.properties]
        if len(set(names)) < len(names):
            raise invalid("Cannot have two properties with the same name.")
        if [one.type for one in self.properties].count("title") != 1:
            raise invalid("Title is not provided: a data source must have exactly one title property.")
        return happened

    def _update_one(self, key: str, wanted: object, path: str) -> Change | None:
        found = self.find(key)
        if wanted is None:
            return self._remove(found, key)
        config = an_object(wanted, path)
        name = a_text(config["name"], f"{path}.name", 2000) if config.get("name") is not None else None
        kind = _type_of(config, path)
        if found is None:
            if kind is None:
                raise invalid(f"{key} is not a property that exists.")
            self.properties.append(new_property(name or key, kind, config, path))
            return None
        if name is not None:
            found.name = name
        if "description" in config:
            text = config["description"]
            found.description = None if text is None else a_text(text, f"{path}.description", 280)
        if kind is None:
            return None
        return _retype(found, kind, config, path)

    def _remove(self, found: Property | None, key: str) -> Change:
        if found is None:
            raise invalid(f"{key} is not a property that exists.")
        if found.type == "title":
            raise invalid("Cannot delete or change the type of the title property.")
        self.properties.remove(found)
        return Change(found, None)


@dataclass(frozen=True)
class Change:
    """A property whose stored values have to follow: it was of another type (`before`), or is gone."""

    property: Property
    before: Property | None


def created(wanted: Json, path: str) -> Schema:
    """A new data source's schema from a client's `properties`."""
    schema = Schema([])
    schema.update(wanted, path)
    return schema


def new_property(name: str, kind: str, config: Json, path: str) -> Property:
    """A property with an id of its own; the title's is always `title`."""
    made = Property("title" if kind == "title" else new_id(), name, kind)
    description = config.get("description")
    made.description = None if description is None else a_text(description, f"{path}.description", 280)
    made.config = _config(kind, an_object(config.get(kind, {}), f"{path}.{kind}"), f"{path}.{kind}", [])
    return made


def new_id() -> str:
    """Four signs, percent-encoded, as Notion's property ids are."""
    return quote("".join(random.choices(_ID_SIGNS, k=4)), safe="")  # noqa: S311 - no secret


def new_option(wanted: Json, path: str, number: int) -> Json:
    """An option with an id of its own; without a colour it gets the next one."""
    colour = wanted.get("color") or _NEW_COLOURS[number % len(_NEW_COLOURS)]
    one_of(colour, f"{path}.color", OPTION_COLOURS)
    description = wanted.get("description")
    if description is not None:
        a_text(description, f"{path}.description", 280)
    return {"id": str(uuid.uuid4()), "name": wanted["name"], "color": colour, "description": description}


def status_config() -> Json:
    """The options and groups that Notion gives a new status property."""
    options = [
        new_option({"name": name, "color": colour}, "body", 0)
        for name, colour in (("Not started", "default"), ("In progress", "blue"), ("Done", "green"))
    ]
    names = (("To-do", "gray"), ("In progress", "blue"), ("Complete", "green"))
    groups = [
        {"id": str(uuid.uuid4()), "name": name, "color": colour, "option_ids": [option["id"]]}
        for (name, colour), option in zip(names, options, strict=True)
    ]
    return {"options": options, "groups": groups}


def _type_of(config: Json, path: str) -> str | None:
    kind = config.get("type") or next((key for key in config if key in TYPES), None)
    if kind is None:
        unknown = [key for key in config if key not in {"name", "description", "id"}]
        if unknown:
            raise malformed(f"{path}.{unknown[0]}", "not present", config[unknown[0]])
        return None
    if not isinstance(kind, str) or kind not in TYPES:
        raise RefusalError(400, f"{path} failed validation: the sandbox has no property of type {kind!r}.")
    no_others(config, ("id", "name", "type", "description", kind), path)
    return kind


def _retype(found: Property, kind: str, config: Json, path: str) -> Change | None:
    if kind != found.type and "title" in {kind, found.type}:
        raise invalid("Cannot delete or change the type of the title property.")
    before = Property(found.id, found.name, found.type, found.config)
    known = found.options if kind in OPTION_TYPES else []
    found.config = _config(kind, an_object(config.get(kind, {}), f"{path}.{kind}"), f"{path}.{kind}", known)
    found.type = kind
    return Change(found, before) if before.type != kind else None


def _config(kind: str, given: Json, path: str, known: list[Json]) -> Json:
    if kind in OPTION_TYPES:
        no_others(given, ("options", "groups"), path)
        if "options" not in given:
            return {"options": known} if kind != "status" else status_config()
        wanted = an_array(given["options"], f"{path}.options")
        options = [_option(item, f"{path}.options[{n}]", known, n) for n, item in enumerate(wanted)]
        if len({option["name"] for option in options}) < len(options):
            raise invalid("Cannot have two options with the same name.")
        return {"options": options} if kind != "status" else _grouped(options)
    if kind == "number":
        no_others(given, ("format",), path)
        return {"format": a_text(given.get("format", "number"), f"{path}.format")}
    if kind == "unique_id":
        no_others(given, ("prefix",), path)
        prefix: Any = given.get("prefix")
        return {"prefix": None if prefix is None else a_text(prefix, f"{path}.prefix")}
    no_others(given, (), path)
    return {}


def _option(item: object, path: str, known: list[Json], number: int) -> Json:
    wanted = an_object(item, path)
    no_others(wanted, ("id", "name", "color", "description"), path)
    by_id = next((option for option in known if option["id"] == wanted.get("id")), None)
    name = wanted.get("name", by_id["name"] if by_id else ...)
    if "," in a_text(name, f"{path}.name", 100):
        raise invalid(f"Invalid select option, commas not allowed: {name}")
    found = by_id or next((option for option in known if option["name"] == name), None)
    if found is None:
        return new_option({**wanted, "name": name}, path, number)
    if wanted.get("color", found["color"]) != found["color"]:
        raise invalid(f"Select option color doesn't match existing for option with id: {found['id']}")
    return {**found, "name": name, "description": wanted.get("description", found["description"])}


def _grouped(options: list[Json]) -> Json:
    config = status_config()
    for group in config["groups"]:
        group["option_ids"] = []
    config["groups"][0]["option_ids"] = [option["id"] for option in options]
    return {"options": options, "groups": config["groups"]}
