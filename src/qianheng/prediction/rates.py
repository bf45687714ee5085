"""Rates with honest priors: how often an exposure becomes an event, by product and cell.

rate[product, cell] = base[product, placement, fit] · effect[product, audience], where `fit` says whether the page is
about nothing, about the product's category, or about another one. Each factor is a ratio of sums shrunk towards the
level above it (gamma-Poisson): a product's base towards all products' in that place, its audience effect towards its
category's, and that towards 1. So a cold product is predicted as its category is, and nothing is ever zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qianheng.prediction.space import Float, Int, Space

FITS = 3  # the page is about nothing in particular, about the product's category, about another


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed before any fact: a rate, and how many events it takes to be convinced of another."""

    rate: float
    events: float = 5.0
    effect_events: float = 20.0


def fit_of(space: Space) -> Int:
    """[products, cells] which fit a cell is for a product."""
    context = np.arange(space.cells) // space.audiences % (space.categories + 1)
    same = context[None, :] == space.category_of[:, None] + 1
    return np.where(context == 0, 0, np.where(same, 1, 2)).astype(np.int64)


def shrink(events: npt.ArrayLike, exposure: npt.ArrayLike, prior: npt.ArrayLike, strength: float) -> Float:
    """events / exposure, pulled towards `prior` as by `strength` events more."""
    pulled = np.asarray(exposure, float) + strength / np.asarray(prior, float)
    return (np.asarray(events, float) + strength) / pulled


def rates(exposure: Float, events: Float, space: Space, prior: Prior) -> Float:
    """The rate of every product and cell from sums of exposure and events, all [products, cells]."""
    audience = np.arange(space.cells) % space.audiences
    placement = np.arange(space.cells) // (space.audiences * (space.categories + 1))
    place = placement[None, :] * FITS + fit_of(space)  # [products, cells]
    base = _base(exposure, events, place, space.placements * FITS, prior)
    expected = np.take_along_axis(base, place, axis=1) * exposure
    effect = _effect(_by_audience(events, space), _by_audience(expected, space), space, prior.effect_events)
    there: Float = np.take_along_axis(base, place, axis=1)
    return np.multiply(there, effect[:, audience])


def _base(exposure: Float, events: Float, place: Int, places: int, prior: Prior) -> Float:
    """[products, places] the rate of a product in a place, by way of all products there and of everything."""
    products = len(exposure)
    index = (np.arange(products)[:, None] * places + place).ravel()
    seen = np.bincount(index, exposure.ravel(), products * places).reshape(products, places)
    happened = np.bincount(index, events.ravel(), products * places).reshape(products, places)
    overall = shrink(happened.sum(), seen.sum(), prior.rate, prior.events)
    there = shrink(happened.sum(axis=0), seen.sum(axis=0), overall, prior.events)
    return shrink(happened, seen, there[None, :], prior.events)


def _effect(events: Float, expected: Float, space: Space, strength: float) -> Float:
    """[products, audiences] how much more often this audience acts than the product's base says."""
    by_category = np.zeros((space.categories, 2, space.audiences))
    np.add.at(by_category, space.category_of, np.stack([events, expected], axis=1))
    category = (by_category[:, 0] + strength) / (by_category[:, 1] + strength)
    pulled = category[space.category_of]
    return np.asarray((events + strength * pulled) / (expected + strength), float)


def _by_audience(values: Float, space: Space) -> Float:
    """[products, cells] summed to [products, audiences]; the audience is the fastest-running part of a cell."""
    return values.reshape(len(values), -1, space.audiences).sum(axis=1)
