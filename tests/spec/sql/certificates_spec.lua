-- Certificates, beside what openssl(1) prints of them.
local tables = dofile("tests/spec/tables.lua")

local here = tables.open()
local HAS_OPENSSL = tables.has("openssl")

local function needs_openssl()
  if not HAS_OPENSSL then
    pending("no program `openssl` here")
  end
  return HAS_OPENSSL
end

--- What openssl says of every n-th certificate of a file: "subject|issuer|serial|dates|fingerprint|old subject".
local function openssl(path, every)
  local script = [[awk -v d="$D" -v e=$E '/BEGIN CERT/ {n++} n && n % e == 0 {print > sprintf("%s/%04d", d, n)}' "$F"
  cd "$D"; for f in *; do
    { openssl x509 -in $f -noout -subject -issuer -serial -startdate -enddate -fingerprint -sha1 -nameopt oneline
      openssl x509 -in $f -noout -subject -nameopt compat; } | sed 's/^[^=]*= *//' | tr '\n' '|'; echo
  done]]
  local list = {}
  for line in tables.shell(("D=%s; E=%d; F=%s; %s"):format(tables.root {}, every, path, script)):gmatch("[^\n]+") do
    list[#list + 1] = line
  end
  return list
end

--- The same, of the table.
local function ours(where, every)
  local list = {}
  for i, row in ipairs(here:rows("SELECT subject2, issuer2, serial, not_valid_before, not_valid_after, sha1, subject "
    .. "FROM certificates" .. where)) do
    if i % every == 0 then
      row[4] = os.date("!%b %e %H:%M:%S %Y GMT", tonumber(row[4]))
      row[5] = os.date("!%b %e %H:%M:%S %Y GMT", tonumber(row[5]))
      row[6] = row[6]:upper():gsub("..", "%0:"):sub(1, -2)
      list[#list + 1] = table.concat(row, "|") .. "|"
    end
  end
  return list
end

describe("certificates", function()
  it("of the system are as openssl prints them", function()
    local path = here:list("SELECT path FROM certificates LIMIT 1")[1]
    if not needs_openssl() or not path then
      return
    end
    local expected = openssl(path, 6)
    assert.is_true(#expected > 5)
    assert.are.same(expected, ours("", 6))
    assert.are.same({}, here:rows "SELECT * FROM certificates WHERE NOT ca OR key_strength = ''")
    assert.are.equal("", here:warnings())
  end)

  it("of a file, with all that can be odd in them", function()
    if not needs_openssl() then
      return
    end
    local folder = tables.root {
      ["/conf"] = [[
[req]
distinguished_name = dn
string_mask = utf8only
[dn]
[leaf]
basicConstraints = critical, CA:false
keyUsage = digitalSignature, keyEncipherment
subjectAltName = DNS:a.example, IP:192.0.2.1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
]],
    }
    tables.shell(([[cd %s; exec >/dev/null 2>&1
      openssl req -x509 -newkey rsa:1024 -nodes -keyout k1 -out 1.pem -days 30000 -utf8 -subj '/C=DE/O=A, "B" ;C/CN= é ' -set_serial 255
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k2 -out 2.pem -days 10 -subj '/CN=x+OU=y' -config conf
      openssl req -new -newkey ed25519 -nodes -keyout k3 -out r3 -subj /CN=leaf -config conf
      openssl x509 -req -in r3 -CA 1.pem -CAkey k1 -set_serial 0x80ff -days 5 -out 3.pem -extfile conf -extensions leaf
      cat 1.pem 2.pem 3.pem > all.pem]]):format(folder))
    local all = folder .. "/all.pem"
    local where = " WHERE path = '" .. all .. "'"
    assert.are.same(openssl(all, 1), ours(where, 1))
    assert.are.same({
      { " é ", 1, 1, "sha256WithRSAEncryption", "rsaEncryption", "1024", "" },
      { "x", 1, 1, "ecdsa-with-SHA256", "id-ecPublicKey", "prime256v1", "" },
      { "leaf", 0, 0, "sha256WithRSAEncryption", "ED25519", "", "Key Encipherment, Digital Signature" },
    }, here:rows("SELECT common_name, ca, self_signed, signing_algorithm, key_algorithm, key_strength, key_usage "
      .. "FROM certificates" .. where))
    local row = here:rows("SELECT a.subject_key_id, b.authority_key_id FROM certificates a JOIN certificates b ON b.path = a.path"
      .. " WHERE a.path = '" .. all .. "' AND a.serial = 'ff' AND b.serial = '80FF'")[1]
    assert.are.equal(40, #row[1])
    assert.are.equal(row[1], row[2])
  end)

  it("that are broken are left out, with a warning", function()
    local made, root = tables.over {
      ["/etc/ssl/certs/ca-certificates.crt"] = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
        .. "-----BEGIN CERTIFICATE-----\n*****\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nMII",
      ["/fifo"] = { fifo = true },
    }
    assert.is_string(root)
    assert.are.same({}, made:rows "SELECT * FROM certificates")
    assert.is_truthy(made:warnings():find("ca-certificates.crt: a certificate is not understood", 1, true))
    assert.are.same({}, made:rows "SELECT * FROM certificates WHERE path IN ('/fifo', '/none', 'x')")
    assert.is_truthy(made:warnings():find("/fifo: is no regular file", 1, true))
  end)
end)
