"""Compiled algebra of small matrices against numpy and the plain code."""

from __future__ import annotations

import numpy as np
import pytest

from estimation.influence.refits import Refits
from estimation.kernels.linear_algebra import factor, invert, joint_f, solve_factored
from estimation.linear.normal_equations import invert_normal


def gram(seed: int) -> np.ndarray:
    """X'X (6, 6) of random regressors."""
    x = np.random.default_rng(seed).normal(size=(40, 6))
    return x.T @ x


def test_the_inverse_of_a_full_matrix_is_that_of_numpy() -> None:
    matrix, lost = gram(1), np.ones(6, dtype=bool)
    expected = np.linalg.inv(matrix)
    invert(matrix, lost)
    np.testing.assert_allclose(matrix, expected, rtol=1e-10)
    assert not lost.any()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_inverse_of_a_matrix_with_lost_parameters_is_that_of_the_plain_code(seed: int) -> None:
    """A regressor without rows, and one that is the sum of two others."""
    x = np.random.default_rng(seed).normal(size=(40, 7))
    x[:, 2], x[:, 5] = 0.0, x[:, 0] + x[:, 4]
    matrix, lost = x.T @ x, np.zeros(7, dtype=bool)
    expected, expected_lost = invert_normal(matrix[None].copy())
    invert(matrix, lost)
    np.testing.assert_allclose(matrix, expected[0], rtol=1e-10, atol=1e-14)
    np.testing.assert_array_equal(lost, expected_lost[0])
    np.testing.assert_array_equal(np.flatnonzero(lost), [0, 2, 4, 5])


def test_the_factor_is_that_of_numpy_and_solves() -> None:
    matrix, empty = gram(2), np.ones(6, dtype=bool)
    lower, solution = matrix.copy(), np.arange(6.0)
    assert factor(lower, empty)
    assert not empty.any()
    np.testing.assert_allclose(np.tril(lower), np.linalg.cholesky(matrix), rtol=1e-10)
    solve_factored(lower, solution)
    np.testing.assert_allclose(matrix @ solution, np.arange(6.0), atol=1e-10)


def test_the_factor_marks_a_parameter_without_rows_and_refuses_one_that_is_not_identified() -> None:
    matrix, empty = gram(3), np.zeros(6, dtype=bool)
    matrix[3], matrix[:, 3] = 0.0, 0.0
    right = np.where(np.arange(6) == 3, 0.0, 1.0)
    lower, solution = matrix.copy(), right.copy()
    assert factor(lower, empty)
    np.testing.assert_array_equal(np.flatnonzero(empty), [3])
    solve_factored(lower, solution)
    np.testing.assert_allclose(matrix @ solution, right, atol=1e-10)
    x = np.random.default_rng(4).normal(size=(40, 3))
    x = np.column_stack([x, x[:, 0] - x[:, 2]])
    assert not factor(x.T @ x, np.zeros(4, dtype=bool))


def test_the_joint_f_is_that_of_the_refits() -> None:
    generator = np.random.default_rng(5)
    estimate, refits = generator.normal(size=3), generator.normal(size=(11, 3))
    expected = Refits(np.arange(11), refits).joint_f(estimate, np.arange(3))[0]
    deviations = np.concatenate([refits - estimate, np.full((2, 3), 99.0)])
    assert joint_f(deviations, 11, estimate) == pytest.approx(expected, rel=1e-10)
    # no more refits than coefficients, or one that never moves: no F
    assert np.isnan(joint_f(deviations, 3, estimate))
    deviations[:, 1] = 0.0
    assert np.isnan(joint_f(deviations, 11, estimate))
