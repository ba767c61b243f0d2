require("tests.system.acts").describe "initial_access"
