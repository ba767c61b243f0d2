require("tests.system.acts").describe "privilege_escalation"
