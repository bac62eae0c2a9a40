-- Counts the words of a text that it makes up, sorts them, builds a tree.
local seed = 42
local function random(n)
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed // 65536 % n + 1
end

local syllables = { "ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru" }
local function word()
    local parts = {}
    for i = 1, random(3) do
        parts[i] = syllables[random(#syllables)]
    end
    return table.concat(parts)
end

local text = {}
for i = 1, 4000 do
    text[i] = word()
end

local counts = {}
for w in table.concat(text, " "):gmatch("%a+") do
    counts[w] = (counts[w] or 0) + 1
end

local list = {}
for w, n in pairs(counts) do
    list[#list + 1] = { word = w, count = n }
end
table.sort(list, function(a, b)
    return a.count > b.count or (a.count == b.count and a.word < b.word)
end)

local function insert(node, key)
    if not node then
        return { key = key }
    elseif key < node.key then
        node.left = insert(node.left, key)
    else
        node.right = insert(node.right, key)
    end
    return node
end

local root
for _, entry in ipairs(list) do
    root = insert(root, entry.word)
end
print(#list, list[1].word, list[1].count, root.key)
