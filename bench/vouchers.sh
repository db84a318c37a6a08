# Sourced by bench/run: prepaid vouchers, that is dialect 3 and codes that pay, on each store.
#
#   V  how long `onetill voucher issue` of a box takes through the running gateway, the printer's file
#      included
#   R  payments a second that redeem one code each, through the sandbox for the rest; beside it Y,
#      payments a second on the same store, in turn; every code is used once, in no order
#   A  boxes activated and voided beside payments at half of what 64 connections reached: when a
#      change was accepted, when it showed, and the p99 of the payments beside changes and apart
#   L  lookups of one code among all there are; then their latencies at 70 % of that
#   T  the tree of a box: how long it takes, and how much memory the gateway gains; then the memory it
#      gains for readers of the tree who stop reading

CODES_A_BOX=${CODES_A_BOX:-1000000} BOXES=${BOXES:-10} BOXES_PG=${BOXES_PG:-4} SECONDS_V=${SECONDS_V:-6}
if [[ $QUICK ]]; then CODES_A_BOX=100000 BOXES=3 BOXES_PG=3 SECONDS_V=4; fi
STALLED=16
# One code in so many is looked up, so that the generator holds no more of them than it needs.
SAMPLED=10
stock=$WORK/vouchers

# vouchers STORE: all of it, on one store that first gets its codes.
vouchers() {
  local store=$1 url=http://127.0.0.1:$PORT round
  serve "$store" fresh
  provision_vouchers "$store"
  for ((round = 1; round <= ROUNDS; round++)); do
    load "R.$store" "$round" --url "$url" --mix redeem=1 --codes "$stock/redeem.$round.csv" --duration "$SECONDS_V" --warmup 1
    load "VY.$store" "$round" --url "$url" --duration "$SECONDS_V" --warmup 1
    sample "RY.$store" "$round" "$(ratio "$(last "VY.$store.rate")" "$(last "R.$store.rate")")"
    sample "RY.$store.cpu" "$round" "$(ratio "$(last "R.$store.cpu")" "$(last "VY.$store.cpu")")"
  done
  box_changes "$store" "$url"
  code_lookups "$store" "$url"
  trees "$store" "$url"
  stop_server
  audit "$store"
  rm -rf "$stock"
}

boxes_of() { if [[ $1 == postgres ]]; then echo "$BOXES_PG"; else echo "$BOXES"; fi; }

# issue STORE BOXES FILE: boxes of CODES_A_BOX codes through the running gateway.
issue() {
  "$BIN" voucher issue --partner 1504 --activity 500706 --ticket 500812 --boxes "$2" \
    --packages 10 --reels $((CODES_A_BOX / 10000)) --codes 1000 --out "$3" \
    --data "$WORK/data-$1" --json 2>"$out/provision.log" || die "no vouchers: see $out/provision.log"
}

# provision_vouchers STORE: a box to redeem from, which is active, and the others.
provision_vouchers() {
  local store=$1 json=$out/V.$1.json name
  (($(boxes_of "$store") > ROUNDS)) || die "vouchers on $store: BOXES or BOXES_PG must be more than the rounds, $ROUNDS"
  rm -rf "$stock"
  mkdir -p "$stock"
  quiet
  mark
  issue "$store" 1 "$stock/first.csv" >"$json"
  sample "V.$store.took_s" 1 "$(field took_s <"$json")"
  sample "V.$store.rss_mb" 1 "$(rss_mb)"
  say "V: $CODES_A_BOX codes in $(field took_s <"$json" | cut -c1-5) s"
  name=$(sed -n '2s/,.*//p' "$stock/first.csv")
  "$BIN" call --url "http://127.0.0.1:$PORT" voucher activate "$name" >"$out/provision.log" 2>&1 ||
    die "the box was not activated: see $out/provision.log"
  awk -v rounds="$ROUNDS" -v to="$stock/redeem" 'NR == 1 { for (i = 1; i <= rounds; i++) print >(to "." i ".csv"); next }
    { print >(to "." 1 + NR % rounds ".csv") }' "$stock/first.csv"
  issue "$store" $(($(boxes_of "$store") - 1)) "$stock/others.csv" >"$out/V.$store.others.json"
  say "V: $(field codes <"$out/V.$store.others.json") more in $(field took_s <"$out/V.$store.others.json" | cut -c1-6) s"
  # Of each box the first and the last code, some boxes a round.
  awk -F, -v rounds="$ROUNDS" -v to="$stock/ends" '
    function put(text) { print text >(to "." 1 + n % rounds ".csv") }
    NR == 1 { for (i = 1; i <= rounds; i++) print >(to "." i ".csv"); next }
    $1 != box { if (box) { put(line); n++ }; put($0); box = $1 } { line = $0 } END { put(line) }' "$stock/others.csv"
  awk -v each="$SAMPLED" 'FNR == 1 { if (NR == 1) print; next } FNR % each == 0' "$stock/first.csv" "$stock/others.csv" >"$stock/sample.csv"
  rm "$stock/first.csv" "$stock/others.csv"
}

# The moments beside a change are few and short: where the disk stalls in one of them it is their p99, so there
# are rounds of them, too.
box_changes() {
  local store=$1 url=$2 json rate boxes round key
  rate=$(median "VY.$store.rate" | awk '{ printf "%d", $1 * 0.5 }')
  for ((round = 1; round <= ROUNDS; round++)); do
    json=$out/A.$store.$round.json
    boxes=$(($(wc -l <"$stock/ends.$round.csv") / 2))
    quiet
    mark
    bench --pid "$server_pid" --url "$url" --rate "$rate" --activate "$stock/ends.$round.csv" \
      --duration $((boxes * 2)) --warmup 1 >"$json" || die "A: failures, see $json"
    for key in activation_accepted activation_done void_accepted void_done; do
      sample "A.$store.$key" "$round" "$(field ${key}_max_ms <"$json")"
    done
    for key in apart beside_activation beside_void; do
      sample "A.$store.$key" "$round" "$(nested $key p99_us <"$json")"
    done
    say "A round $round: accepted within $(field activation_accepted_max_ms <"$json" | cut -c1-6) ms, done within $(field activation_done_max_ms <"$json" | cut -c1-6)"
  done
}

# longest NAME: the most of a name's values.
longest() { values "$1" | tail -n 1; }

code_lookups() {
  local store=$1 url=$2 rate round
  for ((round = 1; round <= ROUNDS; round++)); do
    load "L.$store" "$round" --url "$url" --mix code=1 --codes "$stock/sample.csv" --duration "$SECONDS_V" --warmup 1
    # Of what the host gave just now: a fast minute sets no load for a slow one.
    rate=$(last "L.$store.rate" | awk '{ printf "%d", $1 * 0.7 }')
    load "paced-L.$store" "$round" --url "$url" --mix code=1 --codes "$stock/sample.csv" \
      --rate "$rate" --duration "$SECONDS_V" --warmup 1
  done
}

trees() {
  local store=$1 url=$2 json=$out/T.$1.json name
  name=$(sed -n '2s/,.*//p' "$stock/ends.1.csv")
  quiet
  mark
  bench --pid "$server_pid" --url "$url" --tree "$name" --connections 1 >"$json" || die "T: failures, see $json"
  [[ $(field codes <"$json") == "$CODES_A_BOX" ]] || die "T: not all codes came, see $json"
  sample "T.$store.took_s" 1 "$(field took_s <"$json")"
  sample "T.$store.growth_mb" 1 "$(field memory_growth_mb <"$json")"
  say "T: $(field took_s <"$json" | cut -c1-5) s, $(field memory_growth_mb <"$json" | cut -c1-5) MB more memory"
  bench --pid "$server_pid" --url "$url" --tree "$name" --connections "$STALLED" --stall --duration "$SECONDS_V" \
    >"$out/T.$store.stalled.json" || die "T: failures, see $out/T.$store.stalled.json"
  sample "T.$store.stalled_mb" 1 "$(field memory_growth_mb <"$out/T.$store.stalled.json")"
}

# among STORE: how many codes a store has.
among() { echo $(($(boxes_of "$1") * CODES_A_BOX)); }

vouchers_report() {
  printf '| vouchers | %s |\n|---|%s\n' "$(printf '%s | ' "${stores[@]}" | sed 's/ | $//')" \
    "$(printf -- '---|%.0s' "${stores[@]}")"
  row "V, issue of $CODES_A_BOX codes with the printer's file, s" 'tenths "$(median V.$store.took_s)"'
  row 'memory after it, MB' 'whole "$(median V.$store.rss_mb)"'
  row 'R/s, payments that redeem a code, 64 connections' 'whole "$(median R.$store.rate)"'
  row 'Y/s, payments beside them' 'whole "$(median VY.$store.rate)"'
  row 'Y / R, median of the rounds' 'ratio "$(median RY.$store)" 1'
  row 'CPU µs a redemption: gateway' 'whole "$(median R.$store.cpu)"'
  row 'CPU of a redemption / of a payment, median of the rounds' 'ratio "$(median RY.$store.cpu)" 1'
  row 'p99 of a redemption, ms' 'ms "$(median R.$store.p99)"'
  row "A, a box of $CODES_A_BOX codes activated: accepted, longest, ms" 'tenths "$(longest A.$store.activation_accepted)"'
  row 'the same done' 'tenths "$(longest A.$store.activation_done)"'
  row 'voided: accepted, longest, ms' 'tenths "$(longest A.$store.void_accepted)"'
  row 'the same done' 'tenths "$(longest A.$store.void_done)"'
  row 'boxes of it' 'echo $(($(boxes_of "$store") - 1))'
  row 'p99 of payments apart from changes, ms: median of the rounds (least–most)' 'ms_range A.$store.apart'
  row 'p99 of payments beside activations, ms' 'ms_range A.$store.beside_activation'
  row 'p99 of payments beside voids, ms' 'ms_range A.$store.beside_void'
  row 'codes in the store' 'among "$store"'
  row 'L/s, lookups of a code among them' 'whole "$(median L.$store.rate)"'
  row 'p50 of a lookup at 70 %% load, ms' 'ms2 "$(median paced-L.$store.p50)"'
  row 'p99 of a lookup at 70 %% load, ms' 'ms2 "$(median paced-L.$store.p99)"'
  row "T, tree of $CODES_A_BOX codes, s" 'tenths "$(median T.$store.took_s)"'
  row 'memory gained by it, MB' 'tenths "$(median T.$store.growth_mb)"'
  row "memory gained by $STALLED readers who stop reading, MB" 'tenths "$(median T.$store.stalled_mb)"'
}

tenths() { awk -v v="${1:-}" 'BEGIN { if (v == "") print "–"; else printf "%.1f\n", v }'; }
