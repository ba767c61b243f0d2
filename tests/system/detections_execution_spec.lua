require("tests.system.acts").describe "execution"
