# SPDX-License-Identifier: ISC
# Part of bench/xen-figures: lines "ROW UNIT BETTER WHO VALUE", where BETTER is more or less, to a table or an object.
function sorted(list, a,    n, i, j, t) {
    n = split(list, a, " ")
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && a[j - 1] + 0 > a[j] + 0; j--) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
    return n
}
function median(list,    n, a) {
    n = sorted(list, a)
    low = a[1]; high = a[n]
    return n == 0 ? 0 : n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
}
function text(value) { return sprintf(value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value) }
function array(list,    a, n, i, out) {
    n = split(list, a, " ")
    for (i = 1; i <= n; i++) out = out (i > 1 ? ", " : "") a[i]
    return "[" out "]"
}
NF == 5 {
    if (!($1 in unit)) { order[++rows] = $1; unit[$1] = $2; better[$1] = $3 }
    value[$1, $4] = value[$1, $4] " " $5
}
END {
    if (form == "json") printf "{\"about\": \"%s\", \"clock\": \"%s\", \"rows\": [\n", about, clock
    else {
        printf "%s; the clock counts %s\n\n", about, clock
        print "| what | unit | wisp | Linux | ratio | wisp, lowest to highest | Linux |"
        print "|---|---|---:|---:|---:|---|---|"
    }
    for (i = 1; i <= rows; i++) {
        row = order[i]
        w = median(value[row, "wisp"]); wr = text(low) " - " text(high)
        l = median(value[row, "linux"]); lr = text(low) " - " text(high)
        ratio = w > 0 && l > 0 ? (better[row] == "more" ? w / l : l / w) : 0
        name = row
        gsub(/_/, " ", name)
        if (ratio < 1) behind = behind (behind ? ", " : "") name
        if (form == "json")
            printf "  {\"row\": \"%s\", \"unit\": \"%s\", \"better\": \"%s\", \"wisp\": %s, \"linux\": %s, \"ratio\": %.3f}%s\n", \
                name, unit[row], better[row], array(value[row, "wisp"]), array(value[row, "linux"]), ratio, i < rows ? "," : ""
        else
            printf "| %s | %s | %s | %s | %.2f | %s | %s |\n", name, unit[row], text(w), text(l), ratio, wr, lr
    }
    if (form == "json") printf "], \"behind\": \"%s\"}\n", behind
    else print "\n" (behind ? "behind Linux in: " behind : "no slower than Linux in any")
}
