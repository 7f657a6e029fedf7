"""What a store author and an application author test with: the contracts, the scenarios, the builders."""
