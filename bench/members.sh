# Sourced by bench/run: member terminals, that is dialect 2, on each store.
#
#   I  cards a second that `onetill member import` adds through the running gateway
#   C  purchases a second in points and cash, each durable before it is acknowledged, on random
#      cards, first of a few of the members, who lie scattered, and then of all of them; beside it Y,
#      payments a second on the same store, in turn
#   Q  card queries a second; then their latencies at 70 % of that
#   S  how long the settlement of a large batch takes, and the other terminals' p99 meanwhile

MEMBERS=${MEMBERS:-1000000} FEW_MEMBERS=${FEW_MEMBERS:-10000} SALES_A_BATCH=${SALES_A_BATCH:-10000} SECONDS_M=${SECONDS_M:-5}
if [[ $QUICK ]]; then MEMBERS=20000 FEW_MEMBERS=2000 SALES_A_BATCH=1000 SECONDS_M=4; fi
DEMO_STORE=102100099990001
# Beside 64 connections, the terminals whose batches are settled.
TERMINALS=70
roster=$WORK/roster

# members STORE: all of it, on one store that first gets its cards.
members() {
  local store=$1 url=http://127.0.0.1:$PORT
  serve "$store" fresh
  provision_terminals "$store"
  import_members "$store"
  purchases "$store" "$url" few
  purchases "$store" "$url" many
  card_queries "$store" "$url"
  settlements "$store" "$url"
  sample "M.$store.rss_mb" 1 "$(rss_mb)"
  stop_server
  audit "$store"
}

# purchases STORE URL few|many: rounds of purchases and payments, in turn.
purchases() {
  local store=$1 url=$2 of=$3 round
  for ((round = 1; round <= ROUNDS; round++)); do
    load "C.$of.$store" "$round" --url "$url" --roster "$roster/$of" --mix consume=1 --duration "$SECONDS_M" --warmup 1
    load "Y.$of.$store" "$round" --url "$url" --duration "$SECONDS_M" --warmup 1
    sample "CY.$of.$store" "$round" "$(ratio "$(last "C.$of.$store.rate")" "$(last "Y.$of.$store.rate")")"
  done
}

# provision_terminals STORE: TERMINALS terminals, and lists of few and of many cards beside them.
provision_terminals() {
  local of each=1
  mkdir -p "$roster/few" "$roster/many"
  for of in many few; do
    [[ -e $roster/$of/cards.csv ]] || awk -v n="$MEMBERS" -v each="$each" -v end="$(date -d '+1 year' +%F)" 'BEGIN {
      print "card,name,mobile,points,points_expire"
      for (i = each; i <= n; i += each) printf "88%014d,Member %d,139%08d,1000,%s\n", i, i, i, end }' >"$roster/$of/cards.csv"
    each=$((MEMBERS / FEW_MEMBERS))
  done
  "$BIN" terminal add "$DEMO_STORE/50000001" --count "$TERMINALS" --make-key --json --data "$WORK/data-$1" \
    >"$roster/few/terminals.json" 2>"$out/provision.log" || die "no terminals: see $out/provision.log"
  cp "$roster/few/terminals.json" "$roster/many/terminals.json"
}

# import_members STORE: adds the cards through the running gateway.
import_members() {
  local store=$1 json=$out/import.$1.json
  quiet
  mark
  "$BIN" member import "$roster/many/cards.csv" --tenant demo --data "$WORK/data-$store" --json >"$json" 2>"$out/provision.log" ||
    die "no members: see $out/provision.log"
  sample "I.$store" 1 "$(awk -v n="$(field added <"$json")" -v s="$(field took_s <"$json")" 'BEGIN { print n / s }')"
  sample "I.$store.rss_mb" 1 "$(rss_mb)"
  say "I: $(last "I.$store" | cut -d. -f1) cards/s"
}

card_queries() {
  local store=$1 url=$2 rate round
  for ((round = 1; round <= ROUNDS; round++)); do
    load "Q.$store" "$round" --url "$url" --roster "$roster/many" --mix card=1 --duration "$SECONDS_M" --warmup 1
    # Of what the host gave just now: a fast minute sets no load for a slow one.
    rate=$(last "Q.$store.rate" | awk '{ printf "%d", $1 * 0.7 }')
    load "paced-Q.$store" "$round" --url "$url" --roster "$roster/many" --mix card=1 \
      --rate "$rate" --duration "$SECONDS_M" --warmup 1
  done
}

# settlements STORE URL: batches of SALES_A_BATCH are settled while the others sell at half of what
# they can.
settlements() {
  local store=$1 url=$2 json=$out/S.$1.json rate
  rate=$(median "C.many.$store.rate" | awk '{ printf "%d", $1 * 0.5 }')
  quiet
  mark
  bench --pid "$server_pid" --url "$url" --roster "$roster/many" --mix consume=1 --rate "$rate" --settle "$SALES_A_BATCH" \
    --duration $((SECONDS_M + 3)) --warmup 1 >"$json" || die "S: failures, see $json"
  sample "S.$store.settle_ms" 1 "$(field settle_max_ms <"$json")"
  sample "S.$store.journal_ms" 1 "$(field journal_max_ms <"$json")"
  sample "S.$store.apart_p99" 1 "$(nested apart p99_us <"$json")"
  sample "S.$store.settle_p99" 1 "$(nested beside_settle p99_us <"$json")"
  sample "S.$store.journal_p99" 1 "$(nested beside_journal p99_us <"$json")"
  say "S: settled within $(field settle_max_ms <"$json" | cut -c1-6) ms, with a journal $(field journal_max_ms <"$json" | cut -c1-6) ms"
}

# nested OBJECT NAME < JSON: a number of an object of a JSON object.
nested() { sed -n "s/.*\"$1\":{[^}]*\"$2\":\([0-9.eE+-]*\).*/\1/p"; }

members_report() {
  printf '| member terminals | %s |\n|---|%s\n' "$(printf '%s | ' "${stores[@]}" | sed 's/ | $//')" \
    "$(printf -- '---|%.0s' "${stores[@]}")"
  row "I, cards/s imported, $MEMBERS" 'whole "$(median I.$store)"'
  row 'memory after the import, MB' 'whole "$(median I.$store.rss_mb)"'
  purchase_rows few "$FEW_MEMBERS of $MEMBERS members"
  purchase_rows many "all $MEMBERS members"
  row "Q/s, card queries, $MEMBERS members" 'whole "$(median Q.$store.rate)"'
  row 'p50 of a card query at 70 %% load, ms' 'ms2 "$(median paced-Q.$store.p50)"'
  row 'p99 of a card query at 70 %% load, ms' 'ms2 "$(median paced-Q.$store.p99)"'
  row "S, settlement of $SALES_A_BATCH purchases, longest of three, ms" 'whole "$(median S.$store.settle_ms)"'
  row 'the same with one forgotten, journal included, ms' 'whole "$(median S.$store.journal_ms)"'
  row 'p99 of the others apart from settlements, ms' 'ms "$(median S.$store.apart_p99)"'
  row 'p99 of the others beside a settlement, ms' 'ms "$(median S.$store.settle_p99)"'
  row 'p99 of the others beside a journal, ms' 'ms "$(median S.$store.journal_p99)"'
  row 'memory after the member runs, MB' 'whole "$(median M.$store.rss_mb)"'
}

# purchase_rows few|many WHOSE
purchase_rows() {
  local of=$1
  row "C/s, purchases of $2, 64 connections" 'whole "$(median C.$of.$store.rate)"'
  row 'Y/s, payments beside them' 'whole "$(median Y.$of.$store.rate)"'
  row 'C / Y, median of the rounds' 'ratio "$(median CY.$of.$store)" 1'
  row 'p50 of a purchase, ms' 'ms "$(median C.$of.$store.p50)"'
  row 'p99 of a purchase, ms' 'ms "$(median C.$of.$store.p99)"'
  row 'CPU µs a purchase: gateway' 'whole "$(median C.$of.$store.cpu)"'
}

ms2() { awk -v v="${1:-}" 'BEGIN { if (v == "") print "–"; else printf "%.2f\n", v / 1000 }'; }
