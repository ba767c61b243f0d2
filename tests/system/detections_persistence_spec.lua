require("tests.system.acts").describe "persistence"
