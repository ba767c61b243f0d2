require("tests.system.acts").describe "impact"
