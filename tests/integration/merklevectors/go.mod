module concordat/merklevectors

go 1.26

require github.com/transparency-dev/merkle v0.0.2
