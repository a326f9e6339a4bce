// Command identity serves the identity chaincode to a peer.
package main

import (
	"concordat/chaincode/identity"
	"concordat/chaincode/service"
)

func main() { service.Main(service.New("identity", identity.NewContract())) }
