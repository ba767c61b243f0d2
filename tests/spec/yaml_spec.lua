local yaml = require "moonwatch.yaml"

local function only(text)
  local documents, message = yaml.parse(text)
  assert(documents, message)
  assert.are.equal(1, #documents)
  return documents[1]
end

local function slice(text, node)
  return text:sub(node.from, node.to - 1)
end

describe("yaml", function()
  it("tells where each node stands, in bytes", function()
    local text = 'Tä: {a: !Sub "${B}ö", b: [1, \'x\']}\nlast: z # c\n'
    local root = only(text)
    assert.are.equal("map", root.kind)
    local pairs_of = root[1].value
    assert.is_true(pairs_of.flow)
    assert.are.equal('{a: !Sub "${B}ö", b: [1, \'x\']}', slice(text, pairs_of))
    assert.are.equal("!Sub", pairs_of[1].value.tag)
    assert.are.equal('!Sub "${B}ö"', slice(text, pairs_of[1].value))
    assert.are.equal("${B}ö", pairs_of[1].value.text)
    assert.are.equal("single", pairs_of[2].value[2].style)
    assert.are.equal("z", slice(text, root[2].value))
    assert.are.equal(1, root[2].key.column)
  end)

  it("has the documents of a stream, anchors and aliases", function()
    local documents = assert(yaml.parse "a: &x [1]\n---\nb: *x\n...\n---\n")
    assert.are.equal(3, #documents)
    assert.are.equal("x", documents[1][1].value.anchor)
    assert.are.same({ "alias", "x" }, { documents[2][1].value.kind, documents[2][1].value.text })
    assert.are.same({}, yaml.parse "")
  end)

  it("refuses what is no YAML, with its place", function()
    for text, wanted in pairs {
      ["a: [b"] = "^line 2, column 1: ",
      ["a:\n\tb"] = "^line 2, column 1: ",
      ["\xff"] = "^byte 0: ",
      [("["):rep(70)] = "line 1, column %d+: nested too deep",
      [("a"):rep((4 << 20) + 1)] = "larger than 4194304 bytes",
      ["[" .. ("1,"):rep(270000) .. "]"] = "too many values",
    } do
      local documents, message = yaml.parse(text)
      assert.is_nil(documents)
      assert.is_truthy(message:find(wanted), message)
    end
  end)
end)
