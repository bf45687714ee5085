"""Rates with honest priors: how often an exposure becomes an event, by product and cell.

rate[item, cell] = base[item, placement, fit] · effect[item, audience], where `fit` says whether the page is
about nothing, about the item's category, or about another one. Each factor is a ratio of sums shrunk towards the
level above it (gamma-Poisson): an item's base towards all items' in that place, its audience effect towards its
category's, and that towards 1. So a cold item is predicted as its category is, and nothing is ever zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qianheng.prediction.space import Float, Int, Space

FITS = 3  # the page is about nothing in particular, about the item's category, about another


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed before any fact: a rate, and how many events it takes to be convinced of another."""

    rate: float
    events: float = 5.0
    effect_events: float = 20.0


def fit_of(space: Space) -> Int:
    """[items, cells] which fit a cell is for an item."""
    context = np.arange(space.cells) // space.audiences % (space.categories + 1)
    same = context[None, :] == space.of_items(space.category_of)[:, None] + 1
    return np.where(context == 0, 0, np.where(same, 1, 2)).astype(np.int64)


def shrink(events: npt.ArrayLike, exposure: npt.ArrayLike, prior: npt.ArrayLike, strength: float) -> Float:
    """events / exposure, pulled towards `prior` as by `strength` events more."""
    pulled = np.asarray(exposure, float) + strength / np.asarray(prior, float)
    return (np.asarray(events, float) + strength) / pulled


def rates(exposure: Float, events: Float, space: Space, prior: Prior) -> Float:
    """The rate of every item and cell from sums of exposure and events, all [items, cells]."""
    audience = np.arange(space.cells) % space.audiences
    placement = np.arange(space.cells) // (space.audiences * (space.categories + 1))
    place = placement[None, :] * FITS + fit_of(space)  # [items, cells]
    base = _base(exposure, events, place, space.placements * FITS, prior)
    expected = np.take_along_axis(base, place, axis=1) * exposure
    effect = _effect(_by_audience(events, space), _by_audience(expected, space), space, prior.effect_events)
    there: Float = np.take_along_axis(base, place, axis=1)
    return np.multiply(there, effect[:, audience])


def _base(exposure: Float, events: Float, place: Int, places: int, prior: Prior) -> Float:
    """[items, places] the rate of an item in a place, by way of all items there and of everything."""
    items = len(exposure)
    index = (np.arange(items)[:, None] * places + place).ravel()
    seen = np.bincount(index, exposure.ravel(), items * places).reshape(items, places)
    happened = np.bincount(index, events.ravel(), items * places).reshape(items, places)
    overall = shrink(happened.sum(), seen.sum(), prior.rate, prior.events)
    there = shrink(happened.sum(axis=0), seen.sum(axis=0), overall, prior.events)
    return shrink(happened, seen, there[None, :], prior.events)


def _effect(events: Float, expected: Float, space: Space, strength: float) -> Float:
    """[items, audiences] how much more often this audience acts than the item's base says."""
    category_of = space.of_items(space.category_of)
    by_category = np.zeros((space.categories, 2, space.audiences))
    np.add.at(by_category, category_of, np.stack([events, expected], axis=1))
    category = (by_category[:, 0] + strength) / (by_category[:, 1] + strength)
    pulled = category[category_of]
    return np.asarray((events + strength * pulled) / (expected + strength), float)


def _by_audience(values: Float, space: Space) -> Float:
    """[items, cells] summed to [items, audiences]; the audience is the fastest-running part of a cell."""
    by_audience: Float = values.reshape(len(values), -1, space.audiences).sum(axis=1)
    return by_audience
