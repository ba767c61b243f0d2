require("tests.system.acts").describe "command_and_control"
