require("tests.system.acts").describe "defense_evasion"
