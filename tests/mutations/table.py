"""All breakages, in the order in which ``python -m tests.mutations --list`` numbers them."""

from typing import Final

from tests.mutations.browsers import BROWSERS
from tests.mutations.goals import GOALS
from tests.mutations.machines import MACHINES
from tests.mutations.members import MEMBERS
from tests.mutations.mutation import Mutation
from tests.mutations.strangers import STRANGERS

MUTATIONS: Final[tuple[Mutation, ...]] = (*STRANGERS, *BROWSERS, *MEMBERS, *GOALS, *MACHINES)
