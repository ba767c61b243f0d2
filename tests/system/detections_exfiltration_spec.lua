require("tests.system.acts").describe "exfiltration"
