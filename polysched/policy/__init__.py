"""policy: what to ask of the scheduler. SCoP and dependences in, recipes out.

High-level and synthetic policies of Chelini et al., PACT 2020, section 4. May import
`schedule`, `analysis`, `ir`, `base`.
"""

from polysched.policy.recipes import POLICIES, Policy, find_policy, has_carried_cycle

__all__ = ["POLICIES", "Policy", "find_policy", "has_carried_cycle"]
