local calendar = require "moonwatch.calendar"

describe("the calendar", function()
  it("writes times as C's asctime(3) does", function()
    -- date -u -d @N "+%a %b %e %H:%M:%S %Y UTC"
    for seconds, text in pairs {
      [0] = "Thu Jan  1 00:00:00 1970 UTC",
      [951782400] = "Tue Feb 29 00:00:00 2000 UTC",
      [1785654309] = "Sun Aug  2 07:05:09 2026 UTC",
      [1798761599.9] = "Thu Dec 31 23:59:59 2026 UTC",
      [4107542400] = "Mon Mar  1 00:00:00 2100 UTC",
    } do
      assert.are.equal(text, calendar.asctime(seconds))
    end
  end)

  it("reads what HTTP writes, and nothing else", function()
    assert.are.equal(1785654309, calendar.parse_http "Sun, 02 Aug 2026 07:05:09 GMT")
    assert.are.equal(951782400, calendar.parse_http "Tue, 29 Feb 2000 00:00:00 GMT")
    assert.is_nil(calendar.parse_http "tomorrow")
    assert.is_nil(calendar.parse_http "Sun, 02 Foo 2026 07:05:09 GMT")
  end)
end)
