require("tests.system.acts").describe "discovery"
