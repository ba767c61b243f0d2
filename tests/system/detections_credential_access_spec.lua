require("tests.system.acts").describe "credential_access"
